import toBuffer from 'it-to-buffer'
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { nameOf } from '#node/network/request.ts'

/** A store of blocks on this machine. */
export interface LocalBlocks {
  get(cid: CID): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** A block that is on the disk and whole; one that turns out damaged is noted by the store, and counts as missing. */
export async function readBlock(blocks: LocalBlocks, cid: CID): Promise<Uint8Array | undefined> {
  try {
    return await toBuffer(blocks.get(cid))
  } catch (error) {
    if (nameOf(error) === 'NotFoundError' || isSalusError(error, 'BLOCK_DAMAGED')) return undefined
    throw error
  }
}
