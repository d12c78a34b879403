import { readFile } from 'node:fs/promises'
import { FetchRequest, JsonRpcProvider, Wallet } from 'ethers'
import { SalusError } from '#core/error.ts'

const RPC_TIMEOUT_MS = 10_000

/**
 * The chain behind a URL; asked once, so that a wrong URL is said at once instead of being tried for ever.
 *
 * @throws SalusError `DEPLOY_RPC`
 */
export async function connect(rpcUrl: string): Promise<JsonRpcProvider> {
  try {
    const request = new FetchRequest(rpcUrl)
    request.timeout = RPC_TIMEOUT_MS
    const probe = request.clone()
    probe.body = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }
    const answer = (await probe.send()).bodyJson as { result: string }
    return new JsonRpcProvider(request, Number(answer.result), { staticNetwork: true, pollingInterval: 250 })
  } catch (cause) {
    throw new SalusError('DEPLOY_RPC', 'No chain answers at the given URL; see that it runs and the URL is right.', {
      cause
    })
  }
}

/** @throws SalusError `DEPLOY_KEY` */
export async function readWallet(keyFile: string): Promise<Wallet> {
  try {
    return new Wallet((await readFile(keyFile, 'utf8')).trim())
  } catch (cause) {
    // ethers puts no key into its errors, but a file system's error names the path, which is wanted.
    throw new SalusError('DEPLOY_KEY', 'The key file cannot be read, or is not 32 bytes in hexadecimal.', { cause })
  }
}
