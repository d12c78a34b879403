/** `salus node init`: a folder with a commented configuration and the node's identity. */
import { chmod, mkdir, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { SalusError } from '#core/error.ts'
import { createProgress } from '#node/cli/progress.ts'
import { readConfig, withConfigOptions, type ConfigOptions } from '#node/cli/node-options.ts'
import { configFile } from '#node/config/page.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'

interface InitOptions extends ConfigOptions {
  readonly rpc?: string
  readonly deployment?: string
  readonly json: boolean
}

/** Adds the command. */
export function addNodeInit(node: Command): void {
  withConfigOptions(
    node
      .command('init')
      .description('write a commented configuration file and make the identity; nothing that is there is overwritten')
  )
    .option('--rpc <url>', 'JSON-RPC endpoint of the chain')
    .option('--deployment <file>', 'addresses of the contracts, as the deploy script writes them')
    .option('--json', 'one line of JSON instead of words', false)
    .action(init)
}

async function init({ config = 'node.json', data, set, rpc, deployment, json }: InitOptions): Promise<void> {
  const path = resolve(config)
  const values = {
    ...set,
    ...(data == null ? {} : { dataDir: resolve(data) }),
    ...(deployment == null ? {} : { deployment: resolve(deployment) }),
    ...(rpc == null ? {} : { 'chain.rpc': [rpc] })
  }
  // Judged before anything is written.
  await readConfig({ set: values })
  await mkdir(join(path, '..'), { recursive: true })
  await writeNew(path, configFile(values))
  const { dataDir } = await readConfig({ config: path, set: {} })
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await chmod(dataDir, 0o700)
  const peerId = peerIdFromPrivateKey(await loadOrCreateIdentity(join(dataDir, 'identity.key'))).toString()
  createProgress(json)(
    { event: 'initialised', config: path, dataDir, peerId },
    `Wrote ${path}; the data will be in ${dataDir}; the peer id is ${peerId}.\nNext: salus node doctor --config ${path}, then salus node run --config ${path}`
  )
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new SalusError('CONFIG_EXISTS', `There is a file ${path} already; it is never overwritten.`, { cause })
    }
    throw cause
  }
}
