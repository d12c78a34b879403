/** The blocks that an image is made of, as far as they are in a store. */
import * as dagPb from '@ipld/dag-pb'
import toBuffer from 'it-to-buffer'
import type { CID } from 'multiformats/cid'
import { base32 } from 'multiformats/bases/base32'
import { isSalusError } from '#core/error.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** Most blocks of one image: a TiB in pieces of a MiB, with the nodes above them. */
const MAX_BLOCKS = 2 ** 20 + 2 ** 11

/**
 * Walks an image's tree in a store, each block once however often it is linked; a part that is missing, damaged or
 * unreadable is passed over with what hangs on it.
 *
 * @param blockstore - the store itself, so that nothing is asked of the network
 * @param maxBlocks - where to stop; what an image may have unless told
 */
export async function* blocksOf(
  blockstore: DiskBlockstore,
  root: CID,
  maxBlocks: number = MAX_BLOCKS
): AsyncGenerator<CID> {
  const open = [root]
  // A block that a few others link a million times is still one block.
  const seen = new Set([nameOf(root)])
  for (let cid = open.pop(); cid != null; cid = open.pop()) {
    if (!(await blockstore.has(cid))) continue
    yield cid
    if (cid.code !== dagPb.code) continue
    for (const link of (await linksOf(blockstore, cid)).reverse()) {
      if (seen.size >= maxBlocks) break
      if (seen.has(nameOf(link))) continue
      seen.add(nameOf(link))
      open.push(link)
    }
  }
}

/** Name of a block: its multihash, by which it is stored, and whether more hangs on it. */
function nameOf({ code, multihash }: CID): string {
  return (code === dagPb.code ? 'node ' : '') + base32.encode(multihash.bytes)
}

async function linksOf(blockstore: DiskBlockstore, cid: CID): Promise<CID[]> {
  let bytes: Uint8Array
  try {
    bytes = await toBuffer(blockstore.get(cid))
  } catch (error) {
    if (isSalusError(error, 'BLOCK_DAMAGED')) return []
    throw error
  }
  try {
    return dagPb.decode(bytes).Links.map(link => link.Hash)
  } catch {
    // Anyone may publish a root that is no node; letting go of it must not fail on that.
    return []
  }
}
