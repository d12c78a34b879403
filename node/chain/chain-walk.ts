/** One look at the chain through one endpoint: takes back what is gone, adds what is new (docs/specs/chain-index.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import type { ChainEvent } from '#core/chain/events.ts'
import { SalusError } from '#core/error.ts'
import { isSameLogs, readOldRanges, type RangeSize } from '#node/chain/back-fill.ts'
import { forgedLogs, type LogReader } from '#node/chain/block-logs.ts'
import { JOURNAL_BLOCKS, type BlockEvents, type ChainIndex, type Cursor } from '#node/chain/chain-index.ts'
import type { Lead, Leads } from '#node/chain/chain-lead.ts'
import type { BlockHeader, PlacedLog } from '#node/chain/chain-rpc.ts'
import type { Endpoint } from '#node/chain/endpoints.ts'
import type { FollowerCounters } from '#node/chain/follower-status.ts'
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
  /** Checks again that the endpoint is of the chain, before anything is taken back. */
  readonly verify: (lead: Lead) => Promise<void>
  readonly isStopped: () => boolean
  /** Hears that much is left to do. */
  readonly far: () => void
}

/** What walking may be told. */
export interface WalkInit {
  readonly quorum: number
  /** Proves the logs of every block, also of old ones. */
  readonly proveAll: boolean
}

/** Blocks that are read at once while near. */
const WINDOW_BLOCKS = 32

/** Walks over the chain. */
export interface Walk {
  /** From the index's newest block to a target; tells where it stands then. */
  readonly to: (lead: Lead, target: number) => Promise<'following' | 'catching-up'>
  /** Endpoints on whose word, without proof, blocks are in the index. */
  readonly believed: Set<Endpoint>
}

/** Makes a walk over an index. */
export function createWalk(components: WalkComponents, { quorum, proveAll }: WalkInit, size: RangeSize): Walk {
  const { index, leads, reader, decode, addresses, deployment, pick, counters, log, tell, isStopped } = components
  const eventsOf = (logs: readonly PlacedLog[]): ChainEvent[] => logs.map(decode).filter(event => event != null)

  const believed = new Set<Endpoint>()

  function added(blocks: readonly BlockEvents[], count: number): void {
    counters.blocks += count
    for (const block of blocks) {
      counters.events += block.events.length
      tell(block)
    }
  }

  /** Whether as many endpoints as must agree have a block. */
  async function isAgreed(lead: Lead, block: Pick<Cursor, 'number' | 'hash'>): Promise<boolean> {
    return quorum === 1 || 1 + (await leads.votes(lead, block)).same >= quorum
  }

  /** Refuses to take a block back while as many endpoints still have it as have another. */
  async function requireGone(lead: Lead, known: Cursor): Promise<void> {
    await components.verify(lead)
    const { same, other } = await leads.votes(lead, known)
    if (1 + other > same && 1 + other >= quorum) return
    throw disputed()
  }

  /**
   * Takes blocks back until the newest one is on the chain; starts anew where the journal ends first. Only another hash under a block's
   * number takes it back. A block that the endpoint does not have proves nothing: the endpoint may be a replica that lags.
   *
   * @returns `undefined` while the endpoint is behind the index
   */
  async function findCommonBlock(lead: Lead): Promise<Cursor | undefined> {
    const { rpc, headNumber } = lead
    let taken = 0
    for (let at = index.cursor(); at != null; at = index.cursor()) {
      const known = index.newestUpTo(Math.min(at.number, headNumber))
      const there = known == null ? undefined : await rpc.header(known.number)
      if (known == null || there == null) return undefined
      if (there.hash === known.hash) {
        if (taken > 0) reorganised(taken, known.number)
        return known.number === at.number ? at : undefined
      }
      if (taken === 0) await requireGone(lead, known)
      taken += await takeBackFrom(known.number)
      if ((index.cursor()?.number ?? -1) >= known.number) break
    }
    if (index.cursor() != null) {
      counters.rebuilds++
      log.warn({ journalBlocks: JOURNAL_BLOCKS }, 're-organised deeper than the journal; the chain index is built anew')
      await index.clear()
    }
    const header = await rpc.header(Math.max(deployment.blockNumber - 1, 0))
    if (header == null) throw new SalusError('CHAIN_RPC_FAILED', 'The chain has not reached the deployment block.')
    await index.begin(cursorOf(header))
    return cursorOf(header)
  }

  function reorganised(blocks: number, blockNumber: number): void {
    counters.reorganisations++
    counters.blocksTakenBack += blocks
    counters.deepestReorganisation = Math.max(counters.deepestReorganisation, blocks)
    log.info({ blocks, blockNumber }, 'the chain was re-organised')
  }

  /** Takes back a block and all that lie on it, as far as the journal reaches; returns how many. */
  async function takeBackFrom(number: number): Promise<number> {
    let taken = 0
    while ((index.cursor()?.number ?? -1) >= number && (await index.takeBack())) taken++
    return taken
  }

  /** Blocks that lie deeper than the journal: only those with logs are looked at. False where endpoints do not agree on them. */
  async function addOld(lead: Lead, at: Cursor, until: number): Promise<boolean> {
    const ranges = readOldRanges({ rpc: lead.rpc, reader, addresses, pick }, { from: at.number + 1, until }, size)
    let last = at.number
    for await (const { blocks, end } of ranges) {
      if (!(await isAgreed(lead, end))) return false
      believed.add(lead.endpoint)
      const old = blocks.map(({ block, logs }) => ({ block, events: eventsOf(logs) }))
      await index.appendOld(old, cursorOf(end))
      added(old, end.number - last)
      last = end.number
      if (isStopped()) return true
    }
    return true
  }

  /** Blocks near the head, each joined to the one before it. Returns the last one added. */
  async function addNew(lead: Lead, at: Cursor, target: number): Promise<Cursor> {
    const headers = await linked(lead, at, Math.min(target - at.number, WINDOW_BLOCKS))
    const tip = headers.at(-1)
    if (tip == null || !(await isAgreed(lead, tip))) return at
    const logs = await Promise.all(headers.map(async header => logsOf(lead, header)))
    let last = at
    for (const [i, header] of headers.entries()) {
      const block = { block: cursorOf(header), events: eventsOf(logs[i] ?? []) }
      await index.append(block)
      last = block.block
      added([block], 1)
    }
    return last
  }

  /** Logs that the endpoint cannot prove are compared with another one's. */
  async function logsOf(lead: Lead, header: BlockHeader): Promise<readonly PlacedLog[]> {
    const { logs, proof } = await reader.ofBlock(lead.rpc, header)
    if (proof !== 'none') return logs
    believed.add(lead.endpoint)
    const second = leads.second(lead)
    const compared = second == null ? undefined : await reader.ofBlock(second, header).catch(() => undefined)
    if (compared == null || isSameLogs(logs, compared.logs)) return logs
    throw compared.proof === 'receipts' ? forgedLogs() : disputed()
  }

  /** The next headers, as far as each is the parent of the one after it: re-organised while we read, the next look finds the common block. */
  async function linked({ rpc }: Lead, at: Cursor, count: number): Promise<BlockHeader[]> {
    const read = await Promise.all(Array.from({ length: count }, async (_, i) => rpc.header(at.number + 1 + i)))
    const headers: BlockHeader[] = []
    for (const header of read) {
      if (header?.parentHash !== (headers.at(-1) ?? at).hash) break
      headers.push(header)
    }
    return headers
  }

  async function to(lead: Lead, target: number): Promise<'following' | 'catching-up'> {
    const common = await findCommonBlock(lead)
    // What was seen stays: a revocation must not be undone because another replica answers.
    if (common == null) return 'catching-up'
    let at = common
    while (at.number < target && !isStopped()) {
      if (target - at.number > WINDOW_BLOCKS) components.far()
      const oldUntil = proveAll ? 0 : target - JOURNAL_BLOCKS
      if (oldUntil > at.number) {
        if (!(await addOld(lead, at, oldUntil))) return 'catching-up'
        at = index.cursor() ?? at
        continue
      }
      const next = await addNew(lead, at, target)
      if (next.number === at.number) return 'catching-up'
      at = next
    }
    return 'following'
  }

  return { to, believed }
}

function disputed(): SalusError {
  return new SalusError('CHAIN_DISPUTED', 'The RPC endpoints have different blocks under one number; see the status.')
}

function cursorOf({ number, hash, timeS }: BlockHeader): Cursor {
  return { number, hash, timeS }
}
