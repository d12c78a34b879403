/** Opens what a node keeps on its disk: identity, database, blocks, messages and the index of them, bans. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import type { Clock } from '#core/crypto/primitives.ts'
import { openAcceptIndex, type AcceptIndex, type AcceptIndexInit } from '#node/assembly/accept-index.ts'
import type { Parts } from '#node/assembly/parts.ts'
import type { Log } from '#node/log.ts'
import { createBans, type Bans } from '#node/network/bans.ts'
import { loadOrCreateIdentity } from '#node/network/identity.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import type { Database } from '#node/store/database.ts'
import { createDisk, type Disk, type DiskInit } from '#node/store/disk.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'

/** What a node keeps. */
export interface Stores {
  readonly privateKey: PrivateKey
  readonly db: Database
  readonly disk: Disk
  readonly blockstore: DiskBlockstore
  readonly messages: MessageLog
  readonly index: AcceptIndex
  readonly bans: Bans
}

/** What opening it is told. */
export interface StoresInit extends AcceptIndexInit {
  /** Folder of all data; made if it is not there. */
  readonly dataDir: string
  readonly disk?: Omit<DiskInit, 'path'>
}

/**
 * Opens it.
 *
 * @throws SalusError as `openStore`, `IDENTITY_MALFORMED`, `IDENTITY_TYPE`
 */
export async function openStores(
  { parts, clock, log }: { readonly parts: Parts; readonly clock: Clock; readonly log: Log },
  { dataDir, disk: diskInit, ...indexInit }: StoresInit
): Promise<Stores> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const privateKey = await loadOrCreateIdentity(join(dataDir, 'identity.key'))
  const db = await openStore(dataDir)
  parts.onStop(async () => db.close())
  const disk = await parts.run(createDisk({ db, log }, { path: dataDir, ...diskInit }))
  const blockstore = await parts.run(createBlockstore({ db, directory: join(dataDir, 'blocks'), disk }))
  const messages = createMessageLog({ db, disk })
  parts.onStop(async () => messages.stop())
  const index = await openAcceptIndex(db, indexInit)
  parts.onStop(async () => index.stop())
  const bans = await parts.run(createBans({ db, clock, log }))
  return { privateKey, db, disk, blockstore, messages, index, bans }
}
