/**
 * The name of a blob (docs/specs/sealing.md): what Helia's importer gives the same bytes, so that any IPFS node can serve it.
 *
 * @see https://specs.ipfs.tech/unixfs/
 */
import { encode as encodeDagPb, prepare } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import type { Primitives } from '#core/crypto/primitives.ts'
import { DAG_PB_CODEC, RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'

/** Bytes of a leaf, and the most that are named as one raw block. */
export const LEAF_BYTES = 1_048_576

const MAX_LINKS = 1024

/** A content-addressed block. */
export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** A block of the tree with what its parent says of it. */
interface TreeNode extends Block {
  /** Bytes of the file under it. */
  readonly fileBytes: number
  /** Bytes of all blocks under it, itself included. */
  readonly totalBytes: number
}

/** The blocks of a blob, leaves first, the root last. */
export function* blobBlocks(p: Primitives, blob: Uint8Array): Generator<Block, void, undefined> {
  let level: TreeNode[] = []
  for (let at = 0; at < blob.length || at === 0; at += LEAF_BYTES) {
    const bytes = blob.subarray(at, at + LEAF_BYTES)
    const leaf = {
      cid: cidOfDigest(RAW_CODEC, p.sha256(bytes)),
      bytes,
      fileBytes: bytes.length,
      totalBytes: bytes.length
    }
    level.push(leaf)
    yield leaf
  }
  while (level.length > 1) {
    const above: TreeNode[] = []
    for (let at = 0; at < level.length; at += MAX_LINKS) above.push(parentOf(p, level.slice(at, at + MAX_LINKS)))
    yield* above
    level = above
  }
}

/** The CID of a blob: one raw block up to 1 MiB, else the root of a balanced UnixFS tree. */
export function blobCid(p: Primitives, blob: Uint8Array): CID {
  let root: CID | undefined
  for (const block of blobBlocks(p, blob)) root = block.cid
  return root ?? cidOfDigest(RAW_CODEC, p.sha256(blob))
}

function parentOf(p: Primitives, children: readonly TreeNode[]): TreeNode {
  const file = new UnixFS({ type: 'file' })
  for (const child of children) file.addBlockSize(BigInt(child.fileBytes))
  const links = children.map(child => ({ Name: '', Hash: child.cid, Tsize: child.totalBytes }))
  const bytes = encodeDagPb(prepare({ Data: file.marshal(), Links: links }))
  return {
    cid: cidOfDigest(DAG_PB_CODEC, p.sha256(bytes)),
    bytes,
    fileBytes: children.reduce((sum, child) => sum + child.fileBytes, 0),
    totalBytes: children.reduce((sum, child) => sum + child.totalBytes, bytes.length)
  }
}
