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
  /** Whether a blob is whole here, and nobody had found it so before: it is counted once, whoever comes upon it first. */
  arrived(blob: AskedBlob): Promise<boolean>
  /** Something of a blob is gone, or all of it. */
  forget(cid: CID): Promise<void>
}

/** Opens the rows: by CID, which process looked, and the size that it found. */
export function openHeld({ db, blockstore }: { readonly db: Database; readonly blockstore: DiskBlockstore }): Held {
  const table = openTable(db, 'held')
  const run = randomUUID()

  /** Looks, one after the other: two that look at one blob at a time would both be the first. */
  let looking: Promise<unknown> = Promise.resolve()

  async function lookNow({ cid, sizeBytes }: AskedBlob): Promise<{ holding: Holding; isNew: boolean }> {
    // Rows are made beside the blocks, and may outlive them.
    if (!(await blockstore.has(cid))) return { holding: 'lacking', isNew: false }
    const name = cid.toString()
    const [looker, size] = new TextDecoder().decode(await table.get(name)).split(' ')
    if (looker === run) return { holding: Number(size) === sizeBytes ? 'whole' : 'other', isNew: false }
    const found = await sizeByRoot(blockstore, cid)
    if (found == null || !(await isWhole(blockstore, cid, found))) return { holding: 'lacking', isNew: false }
    await table.put(name, utf8(`${run} ${String(found)}`))
    return { holding: found === sizeBytes ? 'whole' : 'other', isNew: true }
  }

  async function look(blob: AskedBlob): ReturnType<typeof lookNow> {
    const looked = looking.then(async () => lookNow(blob))
    looking = looked.catch(() => undefined)
    return looked
  }

  return {
    holding: async blob => (await look(blob)).holding,
    async arrived(blob) {
      const { holding, isNew } = await look(blob)
      return holding === 'whole' && isNew
    },
    async forget(cid) {
      await table.del(cid.toString())
    }
  }
}
