/** A blob as it is in the node's own store: nothing here asks the network. */
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import toBuffer from 'it-to-buffer'
import type { CID } from 'multiformats/cid'
import type { Range } from '#core/placement/proof.ts'
import { RAW_CODEC } from '#core/record/cid.ts'
import { blocksOf } from '#node/firmware/image-blocks.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** A leaf of a blob's tree and where its bytes are in the blob. */
interface Leaf {
  readonly cid: CID
  readonly from: number
  readonly length: number
}

/** Whether every block of a blob is here, and they make up its size. */
export async function isWhole(blockstore: DiskBlockstore, cid: CID, sizeBytes: number): Promise<boolean> {
  if (!(await blockstore.has(cid))) return false
  if (cid.code === RAW_CODEC) return (await blockOf(blockstore, cid))?.length === sizeBytes
  const leaves = await leavesOf(blockstore, cid, sizeBytes)
  if (leaves == null) return false
  for (const leaf of leaves) if (!(await blockstore.has(leaf.cid))) return false
  return true
}

/** The size of a blob of which the root is here, as far as its root tells; undefined where it tells none. */
export async function sizeByRoot(blockstore: DiskBlockstore, cid: CID): Promise<number | undefined> {
  const root = await blockOf(blockstore, cid)
  return cid.code === RAW_CODEC ? root?.length : childrenOf(root)?.reduce((sum, { length }) => sum + length, 0)
}

/** Stretches of a blob, or undefined where it is not here in this size, or not whole. */
export async function readRanges(
  blockstore: DiskBlockstore,
  cid: CID,
  sizeBytes: number,
  ranges: readonly Range[]
): Promise<Uint8Array[] | undefined> {
  const leaves = await leavesOf(blockstore, cid, sizeBytes)
  if (leaves == null) return undefined
  const parts: Uint8Array[] = []
  for (const { from, length } of ranges) {
    const pieces: Uint8Array[] = []
    for (const leaf of leaves) {
      if (leaf.from + leaf.length <= from || leaf.from >= from + length) continue
      const bytes = await blockOf(blockstore, leaf.cid)
      if (bytes?.length !== leaf.length) return undefined
      pieces.push(bytes.subarray(Math.max(0, from - leaf.from), from + length - leaf.from))
    }
    parts.push(Buffer.concat(pieces))
  }
  return parts
}

/** All blocks of a blob that are here, the root first. */
export async function blobBlocksOf(blockstore: DiskBlockstore, cid: CID): Promise<CID[]> {
  const blocks: CID[] = []
  for await (const block of blocksOf(blockstore, cid)) blocks.push(block)
  return blocks
}

async function leavesOf(blockstore: DiskBlockstore, root: CID, sizeBytes: number): Promise<Leaf[] | undefined> {
  if (root.code === RAW_CODEC) {
    const bytes = await blockOf(blockstore, root)
    return bytes?.length === sizeBytes ? [{ cid: root, from: 0, length: sizeBytes }] : undefined
  }
  const leaves: Leaf[] = []
  const open: { readonly cid: CID; readonly length: number; readonly depth: number }[] = [
    { cid: root, length: sizeBytes, depth: 0 }
  ]
  let from = 0
  // A tree of nodes that hold nothing would be walked for ever, whatever size somebody says it has.
  let nodesLeft = MIN_NODES + Math.min(MAX_NODES, Math.ceil(sizeBytes / BYTES_A_NODE))
  for (let next = open.pop(); next != null; next = open.pop()) {
    const { cid, length, depth } = next
    if (cid.code === RAW_CODEC) {
      leaves.push({ cid, length, from })
      from += length
      continue
    }
    if (--nodesLeft < 0 || depth > MAX_DEPTH) return undefined
    const children = childrenOf(await blockOf(blockstore, cid))
    if (children == null || leaves.length + open.length + children.length > MAX_LEAVES) return undefined
    if (children.reduce((sum, child) => sum + child.length, 0) !== length) return undefined
    for (const child of children.reverse()) open.push({ ...child, depth: depth + 1 })
  }
  return from === sizeBytes ? leaves : undefined
}

/** Nodes that are no leaves: some, one for so many bytes, and never more than that. */
const MIN_NODES = 64
const BYTES_A_NODE: number = 2 ** 20
const MAX_NODES = 4_096
/** Deepest tree of links, as in node/network/file-tree.ts. */
const MAX_DEPTH = 4
/** Most leaves of one blob: a TiB. */
const MAX_LEAVES = 2 ** 20

/** Links of a node, and the bytes that it says are under each; undefined where it is none, or says nonsense. */
function childrenOf(bytes: Uint8Array | undefined): { cid: CID; length: number }[] | undefined {
  if (bytes == null) return undefined
  try {
    const node = dagPb.decode(bytes)
    const sizes = UnixFS.unmarshal(node.Data ?? new Uint8Array()).blockSizes
    const children = node.Links.map(({ Hash: cid }, i) => ({ cid, length: Number(sizes[i] ?? -1) }))
    return children.every(({ length }) => Number.isSafeInteger(length) && length >= 0) ? children : undefined
  } catch {
    // Whoever writes may name any bytes as a blob.
    return undefined
  }
}

async function blockOf(blockstore: DiskBlockstore, cid: CID): Promise<Uint8Array | undefined> {
  try {
    return await toBuffer(blockstore.get(cid))
  } catch {
    // Not here, or damaged: either way it cannot be proven.
    return undefined
  }
}
