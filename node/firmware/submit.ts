/** How a maker's requests reach the chain: through a node that relays them, or paid for by an account of its own. */
import type { Deployment } from '#core/chain/deployment.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { createRelayer } from '#node/chain/relayer.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import type { Submit } from '#node/firmware/publish.ts'
import { createNodeClient } from '#node/http/client.ts'
import type { Log } from '#node/log.ts'

/** A way to the chain. */
export interface Submitter {
  readonly submit: Submit
  close(): Promise<void>
}

/** Through a node's `POST /v1/relay`: needs no account. */
export function relayThrough(url: string): Submitter {
  const client = createNodeClient({ url })
  return { submit: async request => client.relay(request), close: async () => Promise.resolve() }
}

/** Paid for by the account of a key file. */
export async function payWith(
  keyFile: string,
  { rpcUrl, deployment, log }: { readonly rpcUrl: string; readonly deployment: Deployment; readonly log: Log }
): Promise<Submitter> {
  const provider = createProvider(rpcUrl, deployment.chainId)
  const wallet = (await readKeyFile(keyFile)).connect(provider)
  const relayer = createRelayer({ provider, wallet, deployment, log })
  return {
    submit: async request => relayer.submit(request),
    async close() {
      await relayer.stop()
      provider.destroy()
    }
  }
}
