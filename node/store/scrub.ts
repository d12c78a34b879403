/** Reads everything that a node keeps, at a bounded rate, and has what went bad brought again by peers (docs/specs/scrub.md). */
import { setTimeout as pause } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { equalBytes } from '#core/encoding/bytes.ts'
import { SalusError, isSalusError } from '#core/error.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { openSums, sumOf } from '#node/store/message-sums.ts'

/** What is scrubbed. */
export interface ScrubComponents {
  readonly db: Database
  readonly blockstore: DiskBlockstore
  /** Brings a block again, from peers; false where none has it now. Without it damage is reported only. */
  readonly heal?: (cid: CID, signal: AbortSignal) => Promise<boolean>
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
  /** Damaged blocks that a peer brought again; damaged messages are reported only. */
  readonly healed: number
}

/** What was found. */
export interface ScrubReport {
  readonly messages: ScrubCount
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
  const { db, blockstore, heal } = components
  const { bytesPerSecond = DEFAULT_RATE, signal = new AbortController().signal, onProgress } = init
  const begunMs = performance.now()
  const found = { messages: counter(), smallBlocks: counter(), largeBlocks: counter() }
  let bytes = 0

  /** Waits until what was read fits the rate. */
  async function account(sizeBytes: number): Promise<void> {
    signal.throwIfAborted()
    bytes += sizeBytes
    const aheadMs = (bytes / bytesPerSecond) * 1_000 - (performance.now() - begunMs)
    if (aheadMs > 20) await pause(aheadMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }

  async function scrubMessages(): Promise<void> {
    const [log, sums] = [openTable(db, 'log'), openSums(db)]
    for (let after = ''; ;) {
      const page = await log.iterator({ gt: after, limit: PAGE }).all()
      const expected = await sums.getMany(page.map(([at]) => at))
      for (const [index, [at, message]] of page.entries()) {
        after = at
        found.messages.read++
        const sum = expected[index]
        // Without a sum, as written by an older version, nothing can be said of it here; its signature is checked by whoever reads it.
        if (sum != null && !equalBytes(sum, sumOf(message))) found.messages.damaged++
        await account(message.length)
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
  return { ...found, bytes, tookMs: Math.round(performance.now() - begunMs) }
}

function counter(): { read: number; damaged: number; healed: number } {
  return { read: 0, damaged: 0, healed: 0 }
}
