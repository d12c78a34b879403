/** The version of a store's layout, and the way from an older one to this (docs/decisions/0037-backup-scrub-durability.md). */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { addMissingSums } from '#node/store/message-sums.ts'

/** The version that this program writes. 1: without the row. 2: checksums beside the messages. 3: each blob's patient in the index. */
export const SCHEMA = 3

/** A file in the folder of a restore that is not finished. */
export const UNFINISHED = 'restore-unfinished'

/** Brings a store from one version to the next; done again from its beginning where it was broken off. */
type Migration = (db: Database) => Promise<void>

/** By the version from which they lead. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map([
  [1, addMissingSums],
  [2, forgetBlobsOfNobody]
])

const TABLE = 'store'
const KEY = 'schema'

/**
 * Opens the database of a node's folder, making or migrating it where need be.
 *
 * @throws SalusError as {@link openDatabase}; `STORE_DAMAGED`; `STORE_SCHEMA_NEWER` if a newer version of this program wrote it;
 * `STORE_RESTORE_UNFINISHED` if the folder is of a restore that was broken off
 */
export async function openStore(dataDir: string): Promise<Database> {
  if (await isThere(join(dataDir, UNFINISHED))) {
    throw new SalusError('STORE_RESTORE_UNFINISHED', 'The folder was not restored to its end; restore it again.')
  }
  const db = await openDatabase(join(dataDir, 'db'))
  try {
    await migrate(db)
    return db
  } catch (error) {
    await db.close()
    throw error
  }
}

async function migrate(db: Database): Promise<void> {
  const table = openTable(db, TABLE)
  let version = await versionOf(db)
  if (version > SCHEMA) {
    throw new SalusError('STORE_SCHEMA_NEWER', 'A newer version of this program wrote the store; use that one.')
  }
  while (version < SCHEMA) {
    await MIGRATIONS.get(version)?.(db)
    version++
    await table.put(KEY, utf8(String(version)), { sync: true } as object)
  }
}

/** Blobs were indexed without their patient: the acceptance makes its table again from the log, all of it. */
async function forgetBlobsOfNobody(db: Database): Promise<void> {
  await openTable(db, 'accept').clear()
}

/**
 * The version of an open database. One without the row is of version 1 if there is anything in it; an empty one is made as it should be.
 *
 * @throws SalusError `STORE_DAMAGED`
 */
export async function versionOf(db: Database): Promise<number> {
  const bytes = await openTable(db, TABLE).get(KEY)
  if (bytes == null) return 1
  const text = new TextDecoder().decode(bytes)
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new SalusError('STORE_DAMAGED', 'The version of the store cannot be read; restore a backup.')
  }
  return Number(text)
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}
