/** The side of a node that keeps its store well: backup, scrub, and mending what the disk has changed. */
import type { CID } from 'multiformats/cid'
import { isSalusError } from '#core/error.ts'
import { createBlockMender, type BlockMender, type BlockMenderInit } from '#node/assembly/block-mender.ts'
import { createMessageCare, type MessageCareComponents } from '#node/assembly/message-care.ts'
import type { Clock } from '#core/crypto/primitives.ts'
import type { Log } from '#node/log.ts'
import { getBlock } from '#node/network/bitswap-block.ts'
import type { Host } from '#node/network/host.ts'
import { lastBackupMs } from '#node/store/backup/last-backup.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import type { Database } from '#node/store/database.ts'
import type { Disk } from '#node/store/disk.ts'
import { createUpkeep, type Upkeep } from '#node/store/upkeep.ts'

/** What it needs of the node. */
export interface UpkeepSideComponents extends Omit<MessageCareComponents, 'libp2p'> {
  readonly clock: Clock
  readonly db: Database
  readonly disk: Disk
  readonly blockstore: DiskBlockstore
  readonly host: Host
  readonly log: Log
}

/** What it is told. */
export interface UpkeepSideInit {
  readonly dataDir: string
  readonly mending?: BlockMenderInit
}

/** Upkeep, and the mending that goes on by itself. */
export interface UpkeepSide extends BlockMender {
  readonly upkeep: Upkeep
}

/** Time to fetch one damaged block, ms: above the five seconds within which a peer does not send a block again. */
const HEAL_MS = 6_000

/** Opens it. */
export async function openUpkeepSide(
  components: UpkeepSideComponents,
  { dataDir, mending }: UpkeepSideInit
): Promise<UpkeepSide> {
  const { clock, db, disk, blockstore, host, log } = components
  const { libp2p, helia } = host

  async function heal(cid: CID, signal: AbortSignal): Promise<boolean> {
    if (libp2p.getPeers().length === 0) return false
    try {
      // It counts as missing, so it comes from a peer; checked against its name on the way.
      await blockstore.put(cid, await getBlock(helia, cid, { signal, deadlineMs: HEAL_MS, tries: 1 }))
      return true
    } catch (error) {
      if (isSalusError(error, 'FETCH_NO_BLOCK')) return false
      throw error
    }
  }

  const messages = createMessageCare({ ...components, libp2p })
  const mender = createBlockMender({ blockstore, heal, log }, mending)
  const lastMs = await lastBackupMs(db)
  return { ...mender, upkeep: createUpkeep({ db, disk, blockstore, heal, messages, dataDir, clock }, lastMs) }
}
