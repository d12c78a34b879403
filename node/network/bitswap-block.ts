/** Single blocks by bitswap: for peers that do not speak `/salus/range/1`, and for what nobody has yet. */
import { setTimeout as pause } from 'node:timers/promises'
import { anySignal } from 'any-signal'
import toBuffer from 'it-to-buffer'
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'

/** Where blocks come from: Helia, or anything with its block store. */
export interface BlockSource {
  readonly blockstore: {
    get(cid: CID, options: { signal: AbortSignal }): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  }
}

/** How one block is fetched. */
export interface BlockOptions {
  readonly signal?: AbortSignal
  /** Time for one try, 15 s unless told; more than 5 s, within which a peer does not send a block again. */
  readonly deadlineMs?: number
  /** Tries before giving up, 4 unless told. */
  readonly tries?: number
}

/** Time in which bitswap still counts an abandoned want as asked for, and a new one for it is never sent. */
const SETTLE_MS = 50

/**
 * One block, verified against its CID, from this node or its peers.
 *
 * @throws SalusError `FETCH_NO_BLOCK` after the last try; the signal's reason where the caller gave up
 */
export async function getBlock(source: BlockSource, cid: CID, options: BlockOptions = {}): Promise<Uint8Array> {
  const { signal, deadlineMs = 15_000, tries = 4 } = options

  async function once(timeMs: number): Promise<Uint8Array> {
    // Not AbortSignal.any: it keeps every signal that was ever joined to a long-lived one.
    const limit = anySignal([signal, AbortSignal.timeout(timeMs)])
    try {
      return await toBuffer(source.blockstore.get(cid, { signal: limit }))
    } finally {
      limit.clear()
    }
  }

  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await once(deadlineMs)
    } catch (cause) {
      signal?.throwIfAborted()
      if (attempt === tries) {
        throw new SalusError('FETCH_NO_BLOCK', 'No connected peer sent a block in time; connect to one that has it.', {
          cause
        })
      }
    }
    await pause(SETTLE_MS)
    // A server that has sent a block ignores the first new want for it, even after its five seconds: this one.
    const early = await once(100).catch(() => undefined)
    if (early != null) return early
    await pause(SETTLE_MS)
  }
}
