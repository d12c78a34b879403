/** Where an endpoint's chain and the index part, looked up before anything is taken back (docs/specs/chain-index.md). */
import { SalusError } from '#core/error.ts'
import type { ChainIndex, Cursor } from '#node/chain/chain-index.ts'
import type { BlockHeader, ChainRpc } from '#node/chain/chain-rpc.ts'

/** Where they part. */
export interface ForkPoint {
  /** The newest block that both have; none where they part before all that is known. */
  readonly common: Cursor | undefined
  /** The endpoint's block under the first number that they have differently. */
  readonly first: BlockHeader
}

/**
 * Halves what is known, up to a block that the endpoint has differently, until it finds where that begins. The blocks of an honest endpoint
 * hang together; one of which they do not can only name a place that a vote on the `first` block refuses.
 *
 * @param differing - the endpoint's block under the number of one that is known
 * @throws SalusError `CHAIN_WITHHELD` where the endpoint has not got a block below it, or one that hangs on another
 */
export async function findForkPoint(index: ChainIndex, rpc: ChainRpc, differing: BlockHeader): Promise<ForkPoint> {
  const oldest = await index.oldestKnown()
  let first = differing
  let common: Cursor | undefined
  if (oldest != null && oldest.number < first.number) {
    const there = await headerOf(rpc, oldest.number)
    if (there.hash === oldest.hash) common = oldest
    else first = there
  }
  while (common != null && first.number - common.number > 1) {
    const half = index.newestUpTo((common.number + first.number) >> 1)
    if (half == null) throw new Error('the journal has a gap')
    const there = await headerOf(rpc, half.number)
    if (there.hash === half.hash) common = half
    else first = there
  }
  if (common != null && first.parentHash !== common.hash) throw withheld()
  return { common, first }
}

async function headerOf(rpc: ChainRpc, number: number): Promise<BlockHeader> {
  const header = await rpc.header(number)
  if (header == null) throw withheld()
  return header
}

/** An endpoint speaks of blocks and does not give them. */
export function withheld(): SalusError {
  return new SalusError(
    'CHAIN_WITHHELD',
    'The RPC endpoints speak of newer blocks than they give, or agree on; see the status.'
  )
}
