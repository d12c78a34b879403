/** The endpoints of the chain, also those whose addresses hold a key and lie in a file of their own. */
import { readFile } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'
import type { NodeConfig } from '#node/config/schema.ts'
import { checkSecretFile } from '#node/config/secret-file.ts'

const MAX_ENDPOINTS = 8

/**
 * All endpoints, also those whose addresses are secrets.
 *
 * @throws SalusError `CONFIG_SECRET_FILE`, `CONFIG_SECRET_MODE`, `CONFIG_VALUE`
 */
export async function endpointsOf({ rpc, rpcFile }: NodeConfig['chain']): Promise<readonly string[]> {
  if (rpcFile == null) return rpc
  await checkSecretFile(rpcFile)
  const lines = (await readFile(rpcFile, 'utf8')).split('\n').map(line => line.trim())
  const more = lines.filter(line => line !== '' && !line.startsWith('#'))
  if (more.length > MAX_ENDPOINTS || !more.every(line => /^https?:$/.test(URL.parse(line)?.protocol ?? ''))) {
    throw new SalusError(
      'CONFIG_VALUE',
      'The file of chain.rpcFile has a line that is no address of HTTP, or too many.'
    )
  }
  return [...rpc, ...more]
}
