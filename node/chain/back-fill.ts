/** Logs of old blocks by ranges of a size that the endpoint is willing to answer, some ranges ahead of who writes them. */
import { isSalusError, SalusError } from '#core/error.ts'
import { forgedLogs, type LogReader } from '#node/chain/block-logs.ts'
import type { BlockHeader, ChainRpc, PlacedLog } from '#node/chain/chain-rpc.ts'

/** A block with logs. */
export interface OldBlock {
  readonly header: BlockHeader
  readonly logs: readonly PlacedLog[]
}

/** A range of blocks: those with logs in their order, and the last one. */
export interface OldRange {
  readonly blocks: readonly OldBlock[]
  readonly end: BlockHeader
}

/** What back-filling needs. */
export interface BackFillComponents {
  readonly rpc: ChainRpc
  readonly reader: LogReader
  readonly addresses: readonly string[]
  /** A whole number below another one, at random: which block is looked at more closely. */
  readonly pick: (below: number) => number
}

/** How many blocks are asked for at once: fewer where the endpoint refuses or gives much, more where it gives little. */
export interface RangeSize {
  blocks: number
  /** Most blocks that were not refused lately. */
  ceiling: number
}

/** What to begin with. */
export function firstRangeSize(): RangeSize {
  return { blocks: 1_000, ceiling: MAX_RANGE }
}

const MAX_RANGE = 16_384
/** Ranges after one that was refused until a larger one is tried: the refusal may have been of a crowded one. */
const PATIENCE_RANGES = 64
/** Logs of one range to aim at: four such ranges are in memory. */
const MUCH = 4_096
const LITTLE = 1_024
const RANGES_AHEAD = 4
const HEADERS_AT_ONCE = 16

/**
 * Ranges from one block to another, both ends included, in their order; the next ones are read meanwhile. Of each range, a block that is said
 * to hold nothing and one that holds something are proven.
 *
 * @throws SalusError as the questions, and `CHAIN_LOGS_FORGED`
 */
export async function* readOldRanges(
  { rpc, reader, addresses, pick }: BackFillComponents,
  { from, until }: { readonly from: number; readonly until: number },
  size: RangeSize
): AsyncGenerator<OldRange> {
  let sinceRefused = 0

  /** Logs of a range, in parts where the endpoint refuses the whole; a single block cannot be halved. */
  async function logsIn(first: number, last: number): Promise<PlacedLog[]> {
    try {
      return await rpc.logsIn(first, last, addresses)
    } catch (error) {
      const blocks = last - first + 1
      size.blocks = Math.max(1, Math.min(size.blocks, blocks >> 1))
      if (blocks === 1 || !isRefusal(error)) throw error
      size.ceiling = Math.max(1, Math.min(size.ceiling, blocks - 1))
      sinceRefused = 0
      const half = first + (blocks >> 1) - 1
      const before = await logsIn(first, half)
      return [...before, ...(await logsIn(half + 1, last))]
    }
  }

  async function header(number: number): Promise<BlockHeader> {
    const found = await rpc.header(number)
    if (found == null) throw blockMissing()
    return found
  }

  async function readRange(first: number, last: number): Promise<OldRange> {
    const [logs, end] = await Promise.all([logsIn(first, last), header(last)])
    const byBlock = Map.groupBy(logs, ({ blockNumber }) => blockNumber)
    if (logs.some(({ blockNumber }) => blockNumber < first || blockNumber > last)) throw blockMissing()
    const blocks = await inBatches([...byBlock], HEADERS_AT_ONCE, async ([number, inBlock]) => {
      const found = number === last ? end : await header(number)
      reader.check(found, inBlock)
      return { header: found, logs: inBlock }
    })
    await prove(first, last, blocks)
    resize(logs.length, last - first + 1)
    return { blocks, end }
  }

  function resize(logs: number, blocks: number): void {
    if (++sinceRefused % PATIENCE_RANGES === 0) size.ceiling = Math.min(2 * size.ceiling, MAX_RANGE)
    if (logs > MUCH) size.blocks = Math.max(1, Math.min(size.blocks, blocks >> 1))
    else if (logs < LITTLE && blocks === size.blocks) size.blocks = Math.min(2 * size.blocks, size.ceiling)
  }

  /** Looks closely at a block that was left out and at one that was not. */
  async function prove(first: number, last: number, blocks: readonly OldBlock[]): Promise<void> {
    const number = first + pick(last - first + 1)
    const one = blocks[pick(Math.max(blocks.length, 1))]
    const said = new Map(blocks.map(block => [block.header.number, block]))
    const samples = said.has(number) ? [] : [{ header: await header(number), logs: [] }]
    for (const sample of one == null ? samples : [...samples, one]) {
      const { logs, proof } = await reader.ofBlock(rpc, sample.header)
      if (proof !== 'none' && !isSameLogs(logs, sample.logs)) throw forgedLogs()
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
async function inBatches<T, U>(list: readonly T[], atOnce: number, act: (one: T) => Promise<U>): Promise<U[]> {
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
export function isSameLogs(proven: readonly PlacedLog[], said: readonly PlacedLog[]): boolean {
  const text = ({ address, topics, data }: PlacedLog): string => [address.toLowerCase(), ...topics, data].join()
  return proven.length === said.length && proven.every((log, i) => text(log) === text(said[i] ?? log))
}

function blockMissing(): SalusError {
  return new SalusError('CHAIN_RPC_FAILED', 'The RPC endpoint gave logs of a block it has not.')
}
