/** What the chain says of a custodian's log of receipts. */
import { toBeHex, type JsonRpcProvider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { createLogDecoder } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import type { LogAnchor } from '#core/receipts/follow.ts'
import { createChainRpc } from '#node/chain/chain-rpc.ts'
import { pagesBackwards } from '#node/chain/log-pages.ts'

/** A log of the chain as the endpoint gives it, as far as it is looked at here. */
interface FoundLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

/**
 * The newest anchor of a log; undefined before the first.
 *
 * @throws SalusError `CHAIN_UNREACHABLE`, `CHAIN_RPC_FAILED`, `CHAIN_LOG_MALFORMED`
 */
export async function readLogAnchor(
  provider: JsonRpcProvider,
  deployment: Deployment,
  log: Uint8Array
): Promise<LogAnchor | undefined> {
  const { address } = deployment.contracts.BatchAnchors
  const toBlock = await createChainRpc(provider).headNumber()
  const read = async (from: number, to: number): Promise<readonly FoundLog[]> =>
    provider.getLogs({ address, fromBlock: toBeHex(from), toBlock: toBeHex(to), topics: [null, toHex(log)] })
  const decode = createLogDecoder(deployment)
  for await (const page of pagesBackwards(read, { fromBlock: deployment.blockNumber, toBlock })) {
    const anchors = page.flatMap(found => {
      const event = decode(found)
      return event?.name === 'Anchored' ? [{ treeSize: event.treeSize, root: fromHex(event.root, 32) }] : []
    })
    const newest = anchors.sort((a, b) => b.treeSize - a.treeSize)[0]
    if (newest != null) return newest
  }
  return undefined
}
