/** What an operator has a running node do to its own store. */
import type { Helia } from 'helia'
import type { CID } from 'multiformats/cid'
import type { Clock } from '#core/crypto/primitives.ts'
import { isSalusError } from '#core/error.ts'
import { getBlock } from '#node/network/fetch-file.ts'
import { backUp, type BackupInit, type BackupReport } from '#node/store/backup/back-up.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import type { Database } from '#node/store/database.ts'
import type { Disk, DiskStatus } from '#node/store/disk.ts'
import { scrub, type ScrubInit, type ScrubReport } from '#node/store/scrub.ts'

/** What it needs. */
export interface UpkeepComponents {
  readonly db: Database
  readonly disk: Disk
  readonly blockstore: DiskBlockstore
  readonly helia: Pick<Helia, 'blockstore'>
  readonly dataDir: string
  readonly clock: Clock
}

/** What it does. */
export interface Upkeep {
  /** As {@link backUp}. */
  backUp(init: BackupInit): Promise<BackupReport>
  /** As {@link scrub}; damaged blocks are fetched from connected peers. */
  scrub(init?: ScrubInit): Promise<ScrubReport>
  disk(): DiskStatus
}

/** Time to fetch one damaged block, ms: above the five seconds within which a peer does not send a block again. */
const HEAL_MS = 6_000

/** Makes the {@link Upkeep} of a node. */
export function createUpkeep({ db, disk, blockstore, helia, dataDir, clock }: UpkeepComponents): Upkeep {
  async function heal(cid: CID, signal: AbortSignal): Promise<boolean> {
    try {
      await blockstore.put(cid, await getBlock(helia, cid, { signal, deadlineMs: HEAL_MS, tries: 1 }))
      return true
    } catch (error) {
      if (isSalusError(error, 'FETCH_NO_BLOCK')) return false
      throw error
    }
  }

  return {
    backUp: async init => backUp({ db, dataDir, clock }, init),
    scrub: async init => scrub({ db, blockstore, heal }, init),
    disk: () => disk.status()
  }
}
