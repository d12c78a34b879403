/** Reads everything that a node keeps, at a bounded rate, and has what went bad brought again by peers (docs/specs/scrub.md). */
import { setTimeout as pause } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { SalusError, isSalusError } from '#core/error.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { openSums } from '#node/store/message-sums.ts'
import { checkMessage, type MessageCare, type MessageState, type StoredMessage } from '#node/store/scrub-messages.ts'

/** What is scrubbed. */
export interface ScrubComponents {
  readonly db: Database
  readonly blockstore: DiskBlockstore
  /** Brings a block again, from peers; false where none has it now. Without it damage is noted only. */
  readonly heal?: (cid: CID, signal: AbortSignal) => Promise<boolean>
  /** What may be done about messages; without it damage is reported only. */
  readonly messages?: Partial<MessageCare>
}

/** How. */
export interface ScrubInit {
  /** Most bytes per second, 32 MiB unless told: whoever reads and writes records comes first. */
  readonly bytesPerSecond?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ScrubProgress) => void
}

/** How far it is. */
export interface ScrubProgress {
  readonly phase: 'messages' | 'blocks'
  readonly count: number
  readonly bytes: number
  readonly damaged: number
}

/** What was found of one kind. */
export interface ScrubCount {
  readonly read: number
  readonly damaged: number
  /** Of these, what a peer brought again. */
  readonly healed: number
}

/** What was found. */
export interface ScrubReport {
  readonly messages: ScrubCount
  /** Checksums that were damaged or missing beside a good message, and were written anew. */
  readonly sums: number
  /** Messages without a checksum of which nothing could be said. */
  readonly unchecked: number
  readonly smallBlocks: ScrubCount
  readonly largeBlocks: ScrubCount
  readonly bytes: number
  readonly tookMs: number
}

const PAGE = 256
const DEFAULT_RATE = 32 << 20

/**
 * Scrubs a store, also one in use.
 *
 * @throws SalusError `STORE_DAMAGED` where the database itself cannot be read; the signal's reason
 */
export async function scrub(components: ScrubComponents, init: ScrubInit = {}): Promise<ScrubReport> {
  const { db, blockstore, heal, messages: care = {} } = components
  const { bytesPerSecond = DEFAULT_RATE, signal = new AbortController().signal, onProgress } = init
  const begunMs = performance.now()
  const found = { messages: counter(), smallBlocks: counter(), largeBlocks: counter() }
  const states: Record<MessageState, number> = { whole: 0, sum: 0, unchecked: 0, damaged: 0, healed: 0 }
  let bytes = 0

  /** Waits until what was read fits the rate. */
  async function account(sizeBytes: number): Promise<void> {
    signal.throwIfAborted()
    bytes += sizeBytes
    const aheadMs = (bytes / bytesPerSecond) * 1_000 - (performance.now() - begunMs)
    if (aheadMs > 20) await pause(aheadMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }

  async function scrubMessages(): Promise<void> {
    for (let after = ''; ;) {
      const page = await readPage(db, after)
      for (const { at, ...message } of page) {
        after = at
        found.messages.read++
        states[await checkMessage(message, care, signal)]++
        found.messages.healed = states.healed
        found.messages.damaged = states.healed + states.damaged
        await account(message.bytes.length)
      }
      const { read: count, damaged } = found.messages
      onProgress?.({ phase: 'messages', count, bytes, damaged })
      if (page.length < PAGE) return
    }
  }

  async function scrubBlocks(): Promise<void> {
    for await (const { cid, sizeBytes, where, damaged } of blockstore.scan()) {
      const kind = where === 'file' ? found.largeBlocks : found.smallBlocks
      kind.read++
      if (damaged) {
        kind.damaged++
        if ((await heal?.(cid, signal)) === true) kind.healed++
      }
      await account(sizeBytes)
      const count = found.smallBlocks.read + found.largeBlocks.read
      onProgress?.({ phase: 'blocks', count, bytes, damaged: found.smallBlocks.damaged + found.largeBlocks.damaged })
    }
  }

  try {
    await scrubMessages()
    await scrubBlocks()
  } catch (cause) {
    signal.throwIfAborted()
    if (isSalusError(cause)) throw cause
    throw new SalusError('STORE_DAMAGED', 'The database cannot be read; stop the node and restore a backup.', { cause })
  }
  const { sum: sums, unchecked } = states
  return { ...found, sums, unchecked, bytes, tookMs: Math.round(performance.now() - begunMs) }
}

/** Messages and their checksums as they were at one moment: an erasure takes both away together. */
async function readPage(db: Database, after: string): Promise<(StoredMessage & { readonly at: string })[]> {
  const snapshot = db.snapshot()
  try {
    const page = await openTable(db, 'log').iterator({ gt: after, limit: PAGE, snapshot }).all()
    const sums = await openSums(db).getMany(
      page.map(([at]) => at),
      { snapshot }
    )
    return page.map(([at, bytes], i) => ({ at, position: Number.parseInt(at, 16), bytes, sum: sums[i] }))
  } finally {
    await snapshot.close()
  }
}

function counter(): { read: number; damaged: number; healed: number } {
  return { read: 0, damaged: 0, healed: 0 }
}
