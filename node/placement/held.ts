/** Which blobs are here, whole and in which size: what entries say of it is anyone's word. */
import { randomUUID } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import { utf8 } from '#core/encoding/bytes.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import { isWhole, sizeByRoot } from '#node/placement/stored-blob.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** How a blob is here: `whole` in the size asked for, `other` in another one, `lacking` where it is not, or in part. */
export type Holding = 'whole' | 'other' | 'lacking'

/** Which blobs are here. */
export interface Held {
  /** Looks at a blob's tree once in the life of the process; then a row tells. */
  holding(blob: AskedBlob): Promise<Holding>
  /** Something of a blob is gone, or all of it. */
  forget(cid: CID): Promise<void>
}

/** Opens the rows: by CID, which process looked, and the size that it found. */
export function openHeld({ db, blockstore }: { readonly db: Database; readonly blockstore: DiskBlockstore }): Held {
  const table = openTable(db, 'held')
  const run = randomUUID()

  return {
    async holding({ cid, sizeBytes }) {
      // Rows are made beside the blocks, and may outlive them.
      if (!(await blockstore.has(cid))) return 'lacking'
      const name = cid.toString()
      const [looker, size] = new TextDecoder().decode(await table.get(name)).split(' ')
      if (looker === run) return Number(size) === sizeBytes ? 'whole' : 'other'
      const found = await sizeByRoot(blockstore, cid)
      if (found == null || !(await isWhole(blockstore, cid, found))) return 'lacking'
      await table.put(name, utf8(`${run} ${String(found)}`))
      return found === sizeBytes ? 'whole' : 'other'
    },
    async forget(cid) {
      await table.del(cid.toString())
    }
  }
}
