/** When a store was last backed up, kept in the store itself. */
import { utf8 } from '#core/encoding/bytes.ts'
import { openTable, type Database } from '#node/store/database.ts'

const TABLE = 'store'
const KEY = 'backed-up-at'

/** Notes a backup that was made. On a disk that takes no note the backup is there all the same. @param atMs - since 1970 */
export async function noteBackup(db: Database, atMs: number): Promise<void> {
  await openTable(db, TABLE)
    .put(KEY, utf8(String(atMs)))
    .catch(() => undefined)
}

/** Time of the last backup, ms since 1970; undefined where there is none. */
export async function lastBackupMs(db: Database): Promise<number | undefined> {
  const bytes = await openTable(db, TABLE).get(KEY)
  const atMs = bytes == null ? Number.NaN : Number(new TextDecoder().decode(bytes))
  return Number.isSafeInteger(atMs) ? atMs : undefined
}
