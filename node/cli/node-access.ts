/** How the commands reach a running node: its folder on this machine, or an address and a token. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { SalusError } from '#core/error.ts'
import { readLocalAccess } from '#node/auth/local-token.ts'
import { readConfig, withConfigOptions, type ConfigOptions } from '#node/cli/node-options.ts'
import { checkSecretFile } from '#node/config/secret-file.ts'
import type { NodeClientInit } from '#node/http/client-call.ts'

/** What these options give. */
export interface AccessOptions extends ConfigOptions {
  readonly url?: string
  readonly tokenFile?: string
  readonly json: boolean
}

/** Adds the options of a command that asks a running node. */
export function withAccessOptions(command: Command): Command {
  return withConfigOptions(command)
    .option('--url <url>', 'address of a node elsewhere, instead of one on this machine')
    .option('--token-file <file>', 'token for it, in a file of yours alone')
    .option('--json', 'JSON instead of words', false)
}

/**
 * Where the node is, and with what it is asked.
 *
 * @throws SalusError `NODE_NOT_RUNNING`, `CONFIG_*`
 */
export async function nodeAccess(options: AccessOptions): Promise<NodeClientInit> {
  const { url, tokenFile } = options
  if (url == null) return readLocalAccess((await readConfig(options)).dataDir)
  if (tokenFile == null) return { url }
  await checkSecretFile(tokenFile)
  const token = (await readFile(tokenFile, 'utf8')).trim()
  // Whoever listens on the way would operate the node.
  if (new URL(url).protocol !== 'https:' && !isLoopback(url)) {
    throw new SalusError('NODE_TOKEN_OPEN', 'A token is sent over https or to this machine only.')
  }
  return { url, token }
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname)
}
