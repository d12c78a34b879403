/** ethers' provider over bounded endpoints: for those who call contracts, send transactions or read old logs. */
import { JsonRpcProvider, Network, type JsonRpcPayload, type JsonRpcResult } from 'ethers'
import { SalusError } from '#core/error.ts'

/** Where a provider sends: a transport, or several endpoints. */
export interface RpcPoster {
  post(payload: unknown): Promise<unknown>
  close(): void
}

/** A provider that asks the network for nothing on its own: no detection, no polling. */
export class BoundedProvider extends JsonRpcProvider {
  readonly #poster: RpcPoster

  constructor(poster: RpcPoster, chainId: number) {
    // Without cache: a nonce or block number that is 250 ms old is a wrong one here.
    const options = { staticNetwork: Network.from(chainId), cacheTimeout: -1, batchStallTime: 0, pollingInterval: 250 }
    super('http://unused.invalid', options.staticNetwork, options)
    this.#poster = poster
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    // A list of one is a request; what hands a transaction to all endpoints looks at requests.
    const [one, ...others] = Array.isArray(payload) ? payload : [payload]
    const answer = await this.#poster.post(others.length === 0 ? one : payload)
    if (!Array.isArray(answer) || others.length > 0) return [answer].flat() as JsonRpcResult[]
    throw new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint gave an answer that Ethereum does not define.')
  }

  override destroy(): void {
    this.#poster.close()
    super.destroy()
  }
}
