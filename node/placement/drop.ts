/** Takes blobs off this node that are held elsewhere (docs/specs/placement.md). */
import type { Helia } from 'helia'
import { CID } from 'multiformats/cid'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { Log } from '#node/log.ts'
import type { Held } from '#node/placement/held.ts'
import type { Leases } from '#node/placement/leases.ts'
import { blobBlocksOf, isWhole } from '#node/placement/stored-blob.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** What dropping needs. */
export interface DropperComponents {
  readonly db: Database
  readonly helia: Pick<Helia, 'pins'>
  readonly blockstore: DiskBlockstore
  readonly index: Pick<AcceptIndex, 'largestSize'>
  readonly leases: Leases
  readonly held: Pick<Held, 'forget'>
  readonly log: Log
}

/** Drops blobs. */
export interface Dropper {
  /** Finishes what a crash left half-done. */
  start(): Promise<void>
  /** Drops a blob unless it is promised to somebody; false then. */
  drop(cid: CID, sizeBytes: number): Promise<boolean>
}

const UNPIN_TIMEOUT_MS = 10_000

/** Makes a {@link Dropper}. */
export function createDropper({ db, helia, blockstore, index, leases, held, log }: DropperComponents): Dropper {
  /** Blobs that are being dropped, with their size. */
  const table = openTable(db, 'dropping')

  async function unpin(cid: CID): Promise<void> {
    if (!(await helia.pins.isPinned(cid))) return
    try {
      // From this disk only: the rest of a tree that a crash left in part is not to be fetched so as to be deleted.
      const blocks = helia.pins.rm(cid, { signal: AbortSignal.timeout(UNPIN_TIMEOUT_MS), offline: true } as object)
      while ((await blocks.next()).done !== true);
    } catch (error) {
      // A crash came while it was unpinned: some blocks still count as pinned, and stay.
      log.debug({ err: error }, 'a blob had no whole pin')
    }
  }

  /** Whether something else needs a block: another pinned tree, or an entry that names it as its own blob. */
  async function isShared(block: CID): Promise<boolean> {
    return (await helia.pins.isPinned(block)) || (await index.largestSize(block)) != null
  }

  async function remove(cid: CID): Promise<void> {
    await held.forget(cid)
    await unpin(cid)
    const blocks: CID[] = []
    for (const block of await blobBlocksOf(blockstore, cid)) {
      if (block.equals(cid) ? !(await helia.pins.isPinned(cid)) : !(await isShared(block))) blocks.push(block)
    }
    // The root goes last: until then a crash leaves a tree whose rest is still found.
    await blockstore.deleteAll(blocks.reverse())
  }

  return {
    async start() {
      for await (const [name, size] of table.iterator()) {
        const cid = CID.parse(name)
        // A whole one stays: whether others still have it must be asked anew. What is left of one is no replica.
        if (!(await isWhole(blockstore, cid, Number(new TextDecoder().decode(size))))) await remove(cid)
        await table.del(name)
      }
    },
    async drop(cid, sizeBytes) {
      if (!leases.beginDrop(cid)) return false
      try {
        await table.put(cid.toString(), new TextEncoder().encode(String(sizeBytes)))
        await remove(cid)
        await table.del(cid.toString())
        return true
      } finally {
        leases.endDrop(cid)
      }
    }
  }
}
