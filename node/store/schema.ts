/** The version of a store's layout, and the way from an older one to this (docs/decisions/0037-backup-scrub-durability.md). */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { addMissingSums } from '#node/store/message-sums.ts'

/** The version that this program writes. 1: without the row. 2: checksums beside the messages. */
export const SCHEMA = 2

/** A file in the folder of a restore that is not finished. */
export const UNFINISHED = 'restore-unfinished'

/** Brings a store from one version to the next; done again from its beginning where it was broken off. */
type Migration = (db: Database) => Promise<void>

/** By the version from which they lead. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map([[1, addMissingSums]])

const TABLE = 'store'
const KEY = 'schema'

/**
 * Opens the database of a node's folder, making or migrating it where need be.
 *
 * @throws SalusError as {@link openDatabase}; `STORE_SCHEMA_NEWER` if a newer version of this program wrote it;
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

/** A store without the row is of version 1 if there is anything in it; an empty one is made as it should be. */
async function versionOf(db: Database): Promise<number> {
  const bytes = await openTable(db, TABLE).get(KEY)
  if (bytes != null) return Number(new TextDecoder().decode(bytes))
  return 1
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}
