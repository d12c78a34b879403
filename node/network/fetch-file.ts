/** Reads files block by block: a window of blocks at a time, in order, each verified by whoever loads it. */
import { anySignal } from 'any-signal'
import type { CID } from 'multiformats/cid'
import { leavesOf, malformed, oversize, type Leaf } from '#node/network/file-tree.ts'

/** Gives a block, verified against its CID; rejects when the signal says so. */
export type LoadBlock = (
  cid: CID,
  options: { readonly signal: AbortSignal; readonly sizeBytes: number }
) => Promise<Uint8Array>

/** How a file is read. */
export interface FileOptions {
  /** Most bytes of the file; a larger one is refused before its leaves are fetched. */
  readonly maxBytes: number
  /** Bytes of blocks in flight, 24 MiB unless told: memory is about as much. */
  readonly windowBytes?: number
  readonly signal?: AbortSignal | undefined
}

/** Most blocks in flight, however small. */
const MAX_WINDOW_BLOCKS = 256
/** Size of a block of which nobody said how large it is. */
const USUAL_BLOCK_BYTES: number = 1 << 20
/** What an inner node counts for in plans: they are small, but nobody says how small. */
const NODE_BYTES = 64 << 10

/**
 * The bytes of a UnixFS file (or raw block), in order.
 *
 * @param root - CID of the file
 * @throws SalusError `FETCH_NOT_A_FILE` if the root is something else; `FETCH_OVERSIZE` above `maxBytes`;
 * `FETCH_MALFORMED` where the tree contradicts itself or is too large for what it holds; and what `load` throws
 */
export async function* fetchFile(load: LoadBlock, root: CID, options: FileOptions): AsyncGenerator<Uint8Array> {
  const { maxBytes, windowBytes = 24 << 20 } = options
  const stop = new AbortController()
  // Not AbortSignal.any: it keeps every signal that was ever joined to a long-lived one.
  const signal = anySignal([options.signal, stop.signal])
  const queue: { readonly bytes: Promise<Uint8Array>; readonly sizeBytes: number }[] = []
  let queuedBytes = 0
  let sentBytes = 0

  /** A leaf, which must be as large as its parent says: the window is counted by that. */
  async function loadLeaf(leaf: Leaf, sizeBytes: number): Promise<Uint8Array> {
    const bytes = await load(leaf.cid, { signal, sizeBytes })
    if (leaf.sizeBytes == null || leaf.sizeBytes === bytes.length) return bytes
    stop.abort()
    throw malformed('a part has another size than its parent says')
  }

  try {
    const tree = leavesOf(async cid => load(cid, { signal, sizeBytes: NODE_BYTES }), root, maxBytes)
    let more = true
    do {
      while (more && queue.length < MAX_WINDOW_BLOCKS && (queue.length === 0 || queuedBytes < windowBytes)) {
        const next = await tree.next()
        if (next.done === true) more = false
        else {
          const part = next.value
          const sizeBytes = part instanceof Uint8Array ? part.length : (part.sizeBytes ?? USUAL_BLOCK_BYTES)
          const bytes = part instanceof Uint8Array ? Promise.resolve(part) : loadLeaf(part, sizeBytes)
          // Its failure is seen when its turn comes; until then it must not count as unhandled.
          bytes.catch(() => undefined)
          queue.push({ bytes, sizeBytes })
          queuedBytes += sizeBytes
        }
      }
      const first = queue.shift()
      if (first == null) break
      const bytes = await first.bytes
      queuedBytes -= first.sizeBytes
      sentBytes += bytes.length
      if (sentBytes > maxBytes) throw oversize(maxBytes)
      yield bytes
    } while (more || queue.length > 0)
  } finally {
    // Also where the reader breaks off: what is in flight is given up.
    stop.abort()
    signal.clear()
  }
}
