/** Blobs that this node promised to keep for a while, since others dropped theirs on its word. */
import type { CID } from 'multiformats/cid'

/** Promises to keep blobs. */
export interface Leases {
  /** Promises to keep a blob; false where so many are promised that no more are. */
  promise(cid: CID, forMs: number): boolean
  /** Begins to drop a blob, which from then on is promised to nobody; false where it is promised already. */
  beginDrop(cid: CID): boolean
  endDrop(cid: CID): void
}

/** Most promises; they cost memory, and whoever asks without need should not be able to stop all dropping. */
const MAX_LEASES = 200_000
/** Time between two looks for promises that have ended, where there are so many, ms: each look takes milliseconds. */
const LOOK_MS = 10_000

/**
 * Makes {@link Leases} that live in memory: after a start everything counts as promised for as long as a promise may last.
 *
 * @param elapsedMs - milliseconds since some moment, which nobody sets back
 * @param longestMs - longest promise
 * @param maxLeases - most promises at a time
 */
export function createLeases(elapsedMs: () => number, longestMs: number, maxLeases: number = MAX_LEASES): Leases {
  const until = new Map<string, number>()
  const dropping = new Set<string>()
  const startedMs = elapsedMs()
  let lookAtMs = startedMs
  return {
    promise(cid, forMs) {
      const nowMs = elapsedMs()
      const name = nameOf(cid)
      if (dropping.has(name)) return false
      if (until.size >= maxLeases && !until.has(name)) {
        if (nowMs < lookAtMs) return false
        lookAtMs = nowMs + LOOK_MS
        for (const [other, endMs] of until) if (endMs <= nowMs) until.delete(other)
        if (until.size >= maxLeases) return false
      }
      until.set(name, Math.max(until.get(name) ?? 0, nowMs + Math.min(forMs, longestMs)))
      return true
    },
    beginDrop(cid) {
      const nowMs = elapsedMs()
      const name = nameOf(cid)
      if (nowMs < startedMs + longestMs || (until.get(name) ?? 0) > nowMs) return false
      dropping.add(name)
      return true
    },
    endDrop(cid) {
      dropping.delete(nameOf(cid))
    }
  }
}

/** Blocks are told apart by multihash. */
function nameOf({ multihash }: CID): string {
  return Buffer.from(multihash.bytes).toString('base64')
}
