/** What an operator has a running node do to its own store. */
import type { CID } from 'multiformats/cid'
import type { Clock } from '#core/crypto/primitives.ts'
import { backUp, type BackupInit, type BackupReport } from '#node/store/backup/back-up.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
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
}

/** Makes the {@link Upkeep} of a node. */
export function createUpkeep(components: UpkeepComponents): Upkeep {
  const { db, disk, blockstore, heal, messages, dataDir, clock } = components
  return {
    backUp: async init => backUp({ db, dataDir, clock }, init),
    scrub: async init => scrub({ db, blockstore, heal, messages }, init),
    disk: () => disk.status()
  }
}
