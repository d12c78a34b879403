import { Level } from 'level'
import { SalusError } from '#core/error.ts'

/** The node's one LevelDB: text keys, byte values. One process may have it open. */
export type Database = Level<string, Uint8Array>

/** A named part of a {@link Database} with keys of its own. */
export type Table = ReturnType<typeof openTable>

/**
 * Opens the database in a folder, making it if it is not there.
 *
 * @throws SalusError `STORE_LOCKED` while another process has it open; `STORE_OPEN_FAILED` if it cannot be read
 */
export async function openDatabase(path: string): Promise<Database> {
  const db: Database = new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view' })
  try {
    await db.open()
  } catch (cause) {
    if (codesOf(cause).includes('LEVEL_LOCKED')) {
      throw new SalusError('STORE_LOCKED', `Another process has ${path} open; stop it or choose another folder.`, {
        cause
      })
    }
    throw new SalusError('STORE_OPEN_FAILED', `Cannot open the database ${path}; see the cause.`, { cause })
  }
  return db
}

/** A named part of the database. Operations of several parts in one `db.batch` are written together or not at all. */
export function openTable(db: Database, name: string) {
  const tables = tablesOf.get(db) ?? new Map<string, ReturnType<typeof newTable>>()
  tablesOf.set(db, tables)
  const table = tables.get(name) ?? newTable(db, name)
  tables.set(name, table)
  return table
}

/** The tables of each database: one of a name, for a database keeps each that was ever made. */
const tablesOf = new WeakMap<Database, Map<string, ReturnType<typeof newTable>>>()

function newTable(db: Database, name: string) {
  return db.sublevel<string, Uint8Array>(name, { keyEncoding: 'utf8', valueEncoding: 'view' })
}

/** Tells of every write that fails, of whichever part: the parts write through the whole. */
export function onFailedWrite(db: Database, hear: (cause: unknown) => void): void {
  for (const name of ['put', 'del', 'batch'] as const) {
    const write = db[name].bind(db) as (...args: unknown[]) => unknown
    const watched = (...args: unknown[]): unknown => {
      const outcome = write(...args)
      if (outcome instanceof Promise) outcome.catch(hear)
      return outcome
    }
    Object.defineProperty(db, name, { value: watched, configurable: true })
  }
}

/** Closes a database and opens it with all its tables; what is asked in these milliseconds fails, what was written stays. */
export async function reopenDatabase(db: Database): Promise<void> {
  await db.close()
  await db.open()
  await Promise.all(Array.from(tablesOf.get(db)?.values() ?? [], async table => table.open()))
}

/** Codes of an error and of what caused it. */
export function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let at = error; at instanceof Error && codes.length < 8; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') codes.push(at.code)
  }
  return codes
}
