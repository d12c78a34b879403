/** The blocks that an image is made of, as far as they are in a store. */
import * as dagPb from '@ipld/dag-pb'
import toBuffer from 'it-to-buffer'
import type { CID } from 'multiformats/cid'
import type { DiskBlockstore } from '#node/store/blocks.ts'

/** Most blocks of one image: a TiB in pieces of a MiB, with the nodes above them. */
const MAX_BLOCKS = 2 ** 20 + 2 ** 11

/**
 * Walks an image's tree in a store; a part that is missing is passed over with what hangs on it.
 *
 * @param blockstore - the store itself, so that nothing is asked of the network
 */
export async function* blocksOf(blockstore: DiskBlockstore, root: CID): AsyncGenerator<CID> {
  const open = [root]
  for (let count = 0; open.length > 0 && count < MAX_BLOCKS; count++) {
    const cid = open.pop()
    if (cid == null || !(await blockstore.has(cid))) continue
    yield cid
    if (cid.code !== dagPb.code) continue
    const { Links } = dagPb.decode(await toBuffer(blockstore.get(cid)))
    for (const link of Links.reverse()) open.push(link.Hash)
  }
}
