/** The tree of a UnixFS file, read no further than what it may hold allows. */
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { SalusError, isSalusError } from '#core/error.ts'

/** A raw block that is a part of a file. */
export interface Leaf {
  readonly cid: CID
  /** Bytes that its parent says it has; nobody says it of a root. */
  readonly sizeBytes: number | undefined
}

/** Deepest tree of links: three levels of 1,024 links hold a TiB. */
const MAX_DEPTH = 4

/**
 * Leaves of a file's tree, depth first: bytes that stand in a node, or a raw block.
 *
 * @param load - gives a node of the tree, verified
 * @throws SalusError `FETCH_NOT_A_FILE`, `FETCH_OVERSIZE`, `FETCH_MALFORMED`, and what `load` throws
 */
export async function* leavesOf(
  load: (cid: CID) => Promise<Uint8Array>,
  root: CID,
  maxBytes: number
): AsyncGenerator<Uint8Array | Leaf, void> {
  if (root.code === raw.code) {
    yield { cid: root, sizeBytes: undefined }
    return
  }
  // A hostile tree may be wide with nothing in it: what is visited is bounded by what the file may hold.
  let nodesLeft = 64 + Math.ceil(maxBytes / 4096)
  let treeBytesLeft = treeBound(maxBytes)

  async function* visit(cid: CID, depth: number): AsyncGenerator<Uint8Array | Leaf, void> {
    if (--nodesLeft < 0 || depth > MAX_DEPTH) throw malformed('its tree is too large for its size')
    const block = await load(cid)
    const { file, links } = readNode(cid, block)
    // Other software keeps the file's bytes in its leaves; they are counted where they are read.
    treeBytesLeft -= block.length - (file.data?.length ?? 0)
    if (treeBytesLeft < 0) throw malformed('its tree is too large for its size')
    const sizeBytes = file.fileSize()
    if (sizeBytes > BigInt(maxBytes)) throw oversize(maxBytes)
    if (file.blockSizes.length !== links.length) throw malformed('a node does not say how large its parts are')
    if (file.data != null && file.data.length > 0) yield file.data
    for (const [i, link] of links.entries()) {
      if (link.code === raw.code) {
        if (--nodesLeft < 0) throw malformed('its tree is too large for its size')
        yield { cid: link, sizeBytes: Number(file.blockSizes[i] ?? 0n) }
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

/** The error of a file above its limit. */
export function oversize(maxBytes: number): SalusError {
  return new SalusError(
    'FETCH_OVERSIZE',
    `The file is larger than the ${String(maxBytes)} bytes that are allowed here.`
  )
}

/** The error of a tree that cannot be right, whoever sends it. */
export function malformed(why: string): SalusError {
  return new SalusError('FETCH_MALFORMED', `The file cannot be read: ${why}; its publisher must import it again.`)
}
