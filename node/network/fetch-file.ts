/**
 * Fetches files from peers by bitswap: a window of blocks at a time, each with a deadline and asked for again when lost.
 * Helia's own `cat` has neither (docs/decisions/0004-storage-and-exchange.md).
 */
import { setTimeout as pause } from 'node:timers/promises'
import * as dagPb from '@ipld/dag-pb'
import { anySignal } from 'any-signal'
import { UnixFS } from 'ipfs-unixfs'
import toBuffer from 'it-to-buffer'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { SalusError, isSalusError } from '#core/error.ts'

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

/** How a file is fetched. */
export interface FileOptions extends BlockOptions {
  /** Most bytes of the file; a larger one is refused before its leaves are fetched. */
  readonly maxBytes: number
  /** Blocks in flight, 32 unless told: memory is at most this many blocks. */
  readonly window?: number
}

/** Deepest tree of links: three levels of 1,024 links hold a TiB. */
const MAX_DEPTH = 4
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

/**
 * The bytes of a UnixFS file (or raw block), in order.
 *
 * @param root - CID of the file
 * @throws SalusError `FETCH_NO_BLOCK`; `FETCH_NOT_A_FILE` if the root is something else; `FETCH_OVERSIZE` above
 * `maxBytes`; `FETCH_MALFORMED` where the tree contradicts itself or is too large for what it holds
 */
export async function* fetchFile(source: BlockSource, root: CID, options: FileOptions): AsyncGenerator<Uint8Array> {
  const { maxBytes, window = 32 } = options
  const stop = new AbortController()
  const signal = anySignal([options.signal, stop.signal])
  const load = (cid: CID): Promise<Uint8Array> => getBlock(source, cid, { ...options, signal })
  const queue: Promise<Uint8Array>[] = []
  let sentBytes = 0
  try {
    const tree = leaves(load, root, maxBytes)
    let more = true
    do {
      while (more && queue.length < window) {
        const next = await tree.next()
        if (next.done === true) more = false
        else {
          const leaf = next.value instanceof Uint8Array ? Promise.resolve(next.value) : load(next.value)
          // Its failure is seen when its turn comes; until then it must not count as unhandled.
          leaf.catch(() => undefined)
          queue.push(leaf)
        }
      }
      const bytes = await queue.shift()
      if (bytes == null) break
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

/** Leaves of a file's tree, depth first: bytes that stand in a node, or the CID of a raw block. */
async function* leaves(
  load: (cid: CID) => Promise<Uint8Array>,
  root: CID,
  maxBytes: number
): AsyncGenerator<Uint8Array | CID, void> {
  if (root.code === raw.code) {
    yield root
    return
  }
  // A hostile tree may be wide with nothing in it: what is visited is bounded by what the file may hold.
  let nodesLeft = 64 + Math.ceil(maxBytes / 4096)
  let treeBytesLeft = treeBound(maxBytes)

  async function* visit(cid: CID, depth: number): AsyncGenerator<Uint8Array | CID, void> {
    if (--nodesLeft < 0 || depth > MAX_DEPTH) throw malformed('its tree is too large for its size')
    const block = await load(cid)
    treeBytesLeft -= block.length
    if (treeBytesLeft < 0) throw malformed('its tree is too large for its size')
    const { file, links } = readNode(cid, block)
    const sizeBytes = file.fileSize()
    if (sizeBytes > BigInt(maxBytes)) throw oversize(maxBytes)
    if (file.blockSizes.length !== links.length) throw malformed('a node does not say how large its parts are')
    if (file.data != null && file.data.length > 0) yield file.data
    for (const link of links) {
      if (link.code === raw.code) {
        if (--nodesLeft < 0) throw malformed('its tree is too large for its size')
        yield link
      } else {
        yield* visit(link, depth + 1)
      }
    }
  }
  yield* visit(root, 0)
}

/**
 * Most bytes of the inner nodes of a file's tree. A link to a leaf of 16 KiB, the smallest that firmware has, takes about
 * 60 bytes; names and padding in a node are nothing that a file needs, yet a node would keep them.
 *
 * @param maxBytes - most bytes of the file
 */
function treeBound(maxBytes: number): number {
  return 2 ** 20 + Math.ceil(maxBytes / 64)
}

function readNode(cid: CID, block: Uint8Array): { file: UnixFS; links: CID[] } {
  if (cid.code !== dagPb.code) throw notAFile()
  try {
    const node = dagPb.decode(block)
    if (node.Data == null) throw notAFile()
    const file = UnixFS.unmarshal(node.Data)
    if (file.type !== 'file' && file.type !== 'raw') throw notAFile()
    return { file, links: node.Links.map(link => link.Hash) }
  } catch (cause) {
    if (isSalusError(cause)) throw cause
    throw new SalusError('FETCH_MALFORMED', 'A node of the file cannot be read; its publisher must import it again.', {
      cause
    })
  }
}

function notAFile(): SalusError {
  return new SalusError('FETCH_NOT_A_FILE', 'The CID is no file (a folder, for example); ask for a file in it.')
}

function oversize(maxBytes: number): SalusError {
  return new SalusError(
    'FETCH_OVERSIZE',
    `The file is larger than the ${String(maxBytes)} bytes that are allowed here.`
  )
}

function malformed(why: string): SalusError {
  return new SalusError('FETCH_MALFORMED', `The file cannot be read: ${why}; its publisher must import it again.`)
}
