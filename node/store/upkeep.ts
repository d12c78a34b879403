/** What an operator has a running node do to its own store. */
import type { CID } from 'multiformats/cid'
import type { Clock } from '#core/crypto/primitives.ts'
import { isSalusError } from '#core/error.ts'
import { backUp, type BackupInit, type BackupReport } from '#node/store/backup/back-up.ts'
import { cidOfName, type DiskBlockstore } from '#node/store/blocks.ts'
import type { Database } from '#node/store/database.ts'
import type { Disk, DiskStatus } from '#node/store/disk.ts'
import { scrub, type ScrubInit, type ScrubReport } from '#node/store/scrub.ts'
import type { MessageCare } from '#node/store/scrub-messages.ts'

/** What it needs. */
export interface UpkeepComponents {
  readonly db: Database
  readonly disk: Disk
  readonly blockstore: DiskBlockstore
  /** Brings a block from peers and stores it; false where none has it now. */
  readonly heal: (cid: CID, signal: AbortSignal) => Promise<boolean>
  readonly messages: MessageCare
  readonly dataDir: string
  readonly clock: Clock
}

/** What it does. */
export interface Upkeep {
  /** As {@link backUp}; damaged blocks are noted, and brought again by peers. */
  backUp(init: BackupInit): Promise<BackupReport>
  /** As {@link scrub}; damaged blocks and messages are fetched from connected peers. */
  scrub(init?: ScrubInit): Promise<ScrubReport>
  disk(): DiskStatus
  backups(): BackupStanding
}

/** How the store is backed up. */
export interface BackupStanding {
  /** Time of the last backup, ms since 1970; none where there never was one. */
  readonly lastMs?: number
  /** Code of the failure of a later one. */
  readonly failure?: string
}

/** Makes the {@link Upkeep} of a node. @param lastMs - time of the last backup, if there was one */
export function createUpkeep(components: UpkeepComponents, lastMs?: number): Upkeep {
  const { db, disk, blockstore, heal, messages, dataDir, clock } = components
  let standing: BackupStanding = lastMs == null ? {} : { lastMs }
  const onDamaged = async (name: string): Promise<void> => blockstore.noteDamaged(cidOfName(name))

  return {
    async backUp(init) {
      try {
        const report = await backUp({ db, dataDir, clock, onDamaged }, init)
        standing = { lastMs: clock() }
        return report
      } catch (error) {
        // One that somebody broke off is not a failure.
        const failure = isSalusError(error) ? error.code : 'UPKEEP_FAILED'
        if (init.signal?.aborted !== true) standing = { ...standing, failure }
        throw error
      }
    },
    backups: () => standing,
    scrub: async init => scrub({ db, blockstore, heal, messages }, init),
    disk: () => disk.status()
  }
}
