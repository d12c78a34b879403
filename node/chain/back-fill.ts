/** Logs of old blocks by ranges of a size that the endpoint is willing to answer, some ranges ahead of who writes them. */
import { isSalusError, SalusError } from '#core/error.ts'
import type { AgreedLogs } from '#node/chain/agreed-logs.ts'
import { forgedLogs, type LogReader } from '#node/chain/block-logs.ts'
import type { Cursor } from '#node/chain/chain-index.ts'
import type { Source } from '#node/chain/chain-lead.ts'
import type { BlockHeader, ChainRpc, PlacedLog } from '#node/chain/chain-rpc.ts'

/** A block with logs. */
export interface OldBlock {
  readonly block: Cursor
  readonly logs: readonly PlacedLog[]
}

/** A range of blocks: those with logs in their order, and the last one. */
export interface OldRange {
  readonly blocks: readonly OldBlock[]
  readonly end: BlockHeader
}

/** What back-filling needs. */
export interface BackFillComponents {
  readonly lead: Source
  readonly reader: LogReader
  readonly agreed: AgreedLogs
  /** Refuses a block that endpoints do not agree on, where its hash does not stand for its time. */
  readonly confirm: (block: Cursor) => Promise<void>
  readonly addresses: readonly string[]
  /** A whole number below another one, at random: which block is looked at more closely. */
  readonly pick: (below: number) => number
}

interface Sample {
  readonly number: number
  readonly block: Cursor | undefined
  readonly logs: readonly PlacedLog[]
}

/** How many blocks are asked for at once: fewer where the endpoint refuses or gives much, more where it gives little. */
export interface RangeSize {
  blocks: number
  /** Most blocks that were not refused lately. */
  ceiling: number
}

/** What to begin with. */
export function firstRangeSize(): RangeSize {
  return { blocks: 32, ceiling: MAX_RANGE }
}

const MAX_RANGE = 16_384
/** Ranges after one that was refused until a larger one is tried: the refusal may have been of a crowded one. */
const PATIENCE_RANGES = 64
/** Logs of one range to aim at: four such ranges are in memory. */
const AIM = 2_048
const RANGES_AHEAD = 4
const HEADERS_AT_ONCE = 16

/**
 * Ranges from one block to another, both ends included, in their order; the next ones are read meanwhile. Where there are several endpoints,
 * others gave the same logs. Of each range, a block that is said to hold nothing and one that holds something are proven as well, where the
 * endpoint gives receipts.
 *
 * @throws SalusError as the questions, `CHAIN_LOGS_FORGED`, `CHAIN_DISPUTED`; `CHAIN_QUORUM` where no other endpoint gives the range
 */
export async function* readOldRanges(
  { lead, reader, agreed, confirm, addresses, pick }: BackFillComponents,
  { from, until }: { readonly from: number; readonly until: number },
  size: RangeSize
): AsyncGenerator<OldRange> {
  const { rpc } = lead
  let sinceRefused = 0

  /** Logs of a range, in parts where the endpoint refuses the whole; a single block cannot be halved. */
  async function partsOf(of: ChainRpc, first: number, last: number): Promise<PlacedLog[]> {
    try {
      return await of.logsIn(first, last, addresses)
    } catch (error) {
      const blocks = last - first + 1
      size.blocks = Math.max(1, Math.min(size.blocks, blocks >> 1))
      if (blocks === 1 || !isRefusal(error)) throw error
      size.ceiling = Math.max(1, Math.min(size.ceiling, blocks - 1))
      sinceRefused = 0
      const half = first + (blocks >> 1) - 1
      const before = await partsOf(of, first, half)
      return [...before, ...(await partsOf(of, half + 1, last))]
    }
  }

  async function logsIn(of: ChainRpc, first: number, last: number): Promise<PlacedLog[]> {
    const logs = await partsOf(of, first, last)
    reader.checkOwn(logs)
    if (logs.some(({ blockNumber }) => blockNumber < first || blockNumber > last)) throw forgedLogs()
    return logs
  }

  async function header(number: number): Promise<BlockHeader> {
    const found = await rpc.header(number)
    if (found == null) throw blockMissing()
    return found
  }

  async function readRange(first: number, last: number): Promise<OldRange> {
    const [mine, end] = await Promise.all([logsIn(rpc, first, last), header(last)])
    const logs = await agreed.ofRange(lead, mine, async other => logsIn(other, first, last))
    const byBlock = Map.groupBy(logs, ({ blockNumber }) => blockNumber)
    const blocks = await inBatches([...byBlock], HEADERS_AT_ONCE, async ([number, inBlock]) => {
      return { block: await blockOf(number, inBlock, end), logs: inBlock }
    })
    await prove(first, last, blocks)
    resize(logs.length, last - first + 1)
    return { blocks, end }
  }

  /** Hash and time of a block: many endpoints say them with each log. */
  async function blockOf(number: number, logs: readonly PlacedLog[], end: BlockHeader): Promise<Cursor> {
    const [{ blockHash: hash, timeS } = { blockHash: end.hash, timeS: end.timeS }] = logs
    const isOne = logs.every(log => log.blockHash === hash && log.timeS === timeS)
    if (number === end.number && hash !== end.hash) throw forgedLogs()
    if (!isOne || (timeS != null && timeS > end.timeS)) throw forgedLogs()
    if (timeS != null) return { number, hash, timeS }
    const found = await header(number)
    if (found.hash !== hash) throw forgedLogs()
    const { timeS: foundS } = found
    await confirm({ number, hash, timeS: foundS })
    return { number, hash, timeS: foundS }
  }

  function resize(logs: number, blocks: number): void {
    if (++sinceRefused % PATIENCE_RANGES === 0) size.ceiling = Math.min(2 * size.ceiling, MAX_RANGE)
    // By how crowded these were, and no more than double: the next ones may be more so.
    const fit = Math.floor((blocks * AIM) / Math.max(logs, 1))
    if (logs > AIM || blocks === size.blocks) size.blocks = Math.max(1, Math.min(fit, 2 * size.blocks, size.ceiling))
  }

  /** Looks closely at a block that was left out and at one that was not. */
  async function prove(first: number, last: number, blocks: readonly OldBlock[]): Promise<void> {
    const number = first + pick(last - first + 1)
    const isEmpty = !blocks.some(({ block }) => block.number === number)
    const one = blocks[pick(Math.max(blocks.length, 1))]
    const samples: Sample[] = one == null ? [] : [{ number: one.block.number, block: one.block, logs: one.logs }]
    if (isEmpty) samples.push({ number, block: undefined, logs: [] })
    for (const { number: at, block, logs: said } of samples) {
      const found = await header(at)
      if (block != null && (block.hash !== found.hash || block.timeS !== found.timeS)) throw forgedLogs()
      const { logs, proof } = await reader.ofBlock(rpc, found)
      if (proof !== 'none' && !isSameLogs(logs, said)) throw forgedLogs()
    }
  }

  const ahead: Promise<OldRange>[] = []
  let next = from
  try {
    for (;;) {
      while (ahead.length < RANGES_AHEAD && next <= until) {
        const last = Math.min(next + size.blocks - 1, until)
        const range = readRange(next, last)
        // It may fail before it is its turn.
        range.catch(() => undefined)
        ahead.push(range)
        next = last + 1
      }
      const range = ahead.shift()
      if (range == null) return
      yield await range
    }
  } finally {
    // What is under way ends before the next endpoint is asked.
    await Promise.allSettled(ahead)
  }
}

/** Does something for each of a list, so many at once; the outcomes keep their order. */
export async function inBatches<T, U>(list: readonly T[], atOnce: number, act: (one: T) => Promise<U>): Promise<U[]> {
  const outcomes: U[] = []
  for (let at = 0; at < list.length; at += atOnce) {
    outcomes.push(...(await Promise.all(list.slice(at, at + atOnce).map(act))))
  }
  return outcomes
}

/** Whether the endpoint is there and the question was too large for it, as far as can be told. */
function isRefusal(error: unknown): boolean {
  return isSalusError(error, 'CHAIN_RPC_FAILED') || isSalusError(error, 'CHAIN_ANSWER_TOO_LARGE')
}

/** Whether two lists hold the same logs, leaving aside what no proof covers. */
function isSameLogs(proven: readonly PlacedLog[], said: readonly PlacedLog[]): boolean {
  const text = ({ address, topics, data }: PlacedLog): string => [address.toLowerCase(), ...topics, data].join()
  return proven.length === said.length && proven.every((log, i) => text(log) === text(said[i] ?? log))
}

function blockMissing(): SalusError {
  return new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint has not got a block that it spoke of.')
}
