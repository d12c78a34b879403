/** One look at the chain through one endpoint: takes back what is gone, adds what is new (docs/specs/chain-index.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import type { ChainEvent } from '#core/chain/events.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { createAgreedLogs } from '#node/chain/agreed-logs.ts'
import { inBatches, readOldRanges, type RangeSize } from '#node/chain/back-fill.ts'
import type { LogReader } from '#node/chain/block-logs.ts'
import { JOURNAL_BLOCKS, type BlockEvents, type ChainIndex, type Cursor } from '#node/chain/chain-index.ts'
import { disputed, type Lead, type Leads } from '#node/chain/chain-lead.ts'
import type { BlockHeader, PlacedLog } from '#node/chain/chain-rpc.ts'
import type { FollowerCounters } from '#node/chain/follower-status.ts'
import { findForkPoint, withheld } from '#node/chain/fork-point.ts'
import type { Log } from '#node/log.ts'

/** What walking needs. */
export interface WalkComponents {
  readonly index: ChainIndex
  readonly leads: Leads
  readonly reader: LogReader
  readonly decode: (log: PlacedLog) => ChainEvent | undefined
  readonly addresses: readonly string[]
  readonly deployment: Deployment
  readonly pick: (below: number) => number
  readonly counters: FollowerCounters
  readonly log: Log
  /** Hears of each block once it is in the index. */
  readonly tell: (block: BlockEvents) => void
  /** Compares the endpoints now and then, before anything is added; throws where as many have another chain as the lead. */
  readonly compare: (lead: Lead) => Promise<void>
  /** Checks again that the endpoint is of the chain, before anything is taken back. */
  readonly verify: (lead: Lead) => Promise<void>
  readonly isStopped: () => boolean
  /** Hears that much is left to do. */
  readonly far: () => void
}

/** What walking may be told. */
export interface WalkInit {
  readonly quorum: number
  /** Believes headers without proof, so that each is voted on. */
  readonly trustHeaders: boolean
  /** Proves the logs of every block, also of old ones. */
  readonly proveAll: boolean
}

/** Blocks that are read at once while near, and those of them whose receipts are. */
const WINDOW_BLOCKS = 32
const RECEIPTS_AT_ONCE = 4

/**
 * Walks from the index's newest block to a target; tells where it stands then, `catching-up` where the lead is behind the index.
 *
 * @throws SalusError of the lead: as the questions; `CHAIN_HEADER_FORGED`, `CHAIN_LOGS_FORGED`, `CHAIN_LOG_MALFORMED`; `CHAIN_DISPUTED`;
 * `CHAIN_WITHHELD` where it, or others that must agree, have not got what it speaks of; `CHAIN_QUORUM`
 */
export type Walk = (lead: Lead, target: number) => Promise<'following' | 'catching-up'>

/** Makes a walk over an index. */
export function createWalk(
  components: WalkComponents,
  { quorum, trustHeaders, proveAll }: WalkInit,
  size: RangeSize
): Walk {
  const { index, leads, reader, decode, addresses, deployment, pick, counters, log, tell, isStopped } = components
  const agreed = createAgreedLogs(leads, reader, quorum)
  const eventsOf = (logs: readonly PlacedLog[]): ChainEvent[] => logs.map(decode).filter(event => event != null)

  function added(blocks: readonly BlockEvents[], count: number): void {
    counters.blocks += count
    for (const block of blocks) {
      counters.events += block.events.length
      tell(block)
    }
  }

  /** Refuses a block of the lead that endpoints do not agree on. */
  async function requireAgreed(lead: Lead, block: Cursor): Promise<void> {
    const { verdict } = await leads.poll(lead, block)
    if (verdict === 'disputed') throw disputed()
    if (verdict === 'short') throw withheld()
  }

  /**
   * Takes blocks back until the newest one is on the chain; starts anew where the journal ends first. Only another hash under a block's
   * number takes it back, and only where the endpoints agree on the first block that takes the place of one: all above hang on it. A block that
   * the lead does not have proves nothing: it may be a replica that lags.
   *
   * @returns `undefined` while the lead is behind the index
   */
  async function findCommonBlock(lead: Lead): Promise<Cursor | undefined> {
    const at = index.cursor()
    if (at == null) return begin(lead)
    const known = index.newestUpTo(Math.min(at.number, lead.headNumber))
    const there = known == null ? undefined : await lead.rpc.header(known.number)
    if (known == null || there == null) return undefined
    if (there.hash === known.hash) return known.number === at.number ? at : undefined
    await components.verify(lead)
    const { common, first } = await findForkPoint(index, lead.rpc, there)
    await requireAgreed(lead, first)
    if (common != null) {
      await takeBackTo(common.number)
      return common
    }
    counters.rebuilds++
    log.warn({ journalBlocks: JOURNAL_BLOCKS }, 're-organised deeper than the journal; the chain index is built anew')
    await index.clear()
    return begin(lead)
  }

  /** Sets the block before the deployment's. */
  async function begin(lead: Lead): Promise<Cursor> {
    const header = await lead.rpc.header(Math.max(deployment.blockNumber - 1, 0))
    if (header == null) throw new SalusError('CHAIN_RPC_FAILED', 'The chain has not reached the deployment block.')
    await requireAgreed(lead, header)
    await index.begin(cursorOf(header))
    return cursorOf(header)
  }

  async function takeBackTo(blockNumber: number): Promise<void> {
    let blocks = 0
    while ((index.cursor()?.number ?? 0) > blockNumber && (await index.takeBack())) blocks++
    counters.reorganisations++
    counters.blocksTakenBack += blocks
    counters.deepestReorganisation = Math.max(counters.deepestReorganisation, blocks)
    log.info({ blocks, blockNumber }, 'the chain was re-organised')
  }

  /** Blocks that lie deeper than the journal: only those with logs are looked at. */
  async function addOld(lead: Lead, at: Cursor, until: number): Promise<void> {
    // A hash that is not recomputed says nothing about the block's time.
    const confirm = async (block: Cursor): Promise<void> => (trustHeaders ? requireAgreed(lead, block) : undefined)
    const parts = { lead, reader, agreed, confirm, addresses, pick }
    let last = at.number
    for await (const { blocks, end } of readOldRanges(parts, { from: at.number + 1, until }, size)) {
      await requireAgreed(lead, end)
      const old = blocks.map(({ block, logs }) => ({ block, events: eventsOf(logs) }))
      await index.appendOld(old, cursorOf(end), leads.isSole ? lead.endpoint.name : undefined)
      added(old, end.number - last)
      last = end.number
      if (isStopped()) return
    }
  }

  /** Blocks near the head, each joined to the one before it and its logs proven. */
  async function addNew(lead: Lead, at: Cursor, target: number): Promise<void> {
    const headers = await linked(lead, at, Math.min(target - at.number, WINDOW_BLOCKS))
    // Each hangs on the one before, unless that is but said.
    const asked = trustHeaders ? headers : headers.slice(-1)
    await Promise.all(asked.map(async header => requireAgreed(lead, header)))
    const logs = await inBatches(headers, RECEIPTS_AT_ONCE, async header => agreed.ofBlock(lead, header))
    for (const [i, header] of headers.entries()) {
      const block = { block: cursorOf(header), events: eventsOf(logs[i]?.logs ?? []) }
      await index.append(block, logs[i]?.wordOf)
      added([block], 1)
    }
  }

  /** The next headers, as far as each is the parent of the one after it: re-organised while we read, the next look finds the common block. */
  async function linked({ rpc }: Lead, at: Cursor, count: number): Promise<BlockHeader[]> {
    const read = await Promise.all(Array.from({ length: count }, async (_, i) => rpc.header(at.number + 1 + i)))
    const headers: BlockHeader[] = []
    for (const header of read) {
      if (header?.parentHash !== (headers.at(-1) ?? at).hash) break
      headers.push(header)
    }
    if (headers.length === 0) throw withheld()
    return headers
  }

  return async (lead, target) => {
    let at = await findCommonBlock(lead)
    // What was seen stays: a revocation must not be undone because another replica answers.
    if (at == null) {
      if (lead.headNumber > (index.cursor()?.number ?? 0)) throw withheld()
      return 'catching-up'
    }
    await components.compare(lead)
    let oldUntil = proveAll ? 0 : target - JOURNAL_BLOCKS
    while (at.number < target && !isStopped()) {
      if (target - at.number > WINDOW_BLOCKS) components.far()
      if (oldUntil > at.number) {
        try {
          await addOld(lead, at, oldUntil)
        } catch (error) {
          if (leads.isSole || !isSalusError(error, 'CHAIN_QUORUM')) throw error
          // Nobody to compare ranges with: what can be proven of each block is.
          oldUntil = 0
        }
      } else await addNew(lead, at, target)
      at = index.cursor() ?? at
    }
    return 'following'
  }
}

function cursorOf({ number, hash, timeS }: BlockHeader): Cursor {
  return { number, hash, timeS }
}
