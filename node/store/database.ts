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
  return db.sublevel<string, Uint8Array>(name, { keyEncoding: 'utf8', valueEncoding: 'view' })
}

/** What LevelDB has and `level`, which also runs in browsers, has no type for. */
interface Compactable {
  compactRange(start: string, end: string, options: { readonly keyEncoding: 'utf8' }): Promise<void>
}

/**
 * Has the database rewrite the files of a table, so that what was deleted or replaced in it is no longer in them. What the file
 * system or the drive keeps of files that were deleted, this does not reach.
 */
export async function compactTable(db: Database, name: string): Promise<void> {
  // A part's keys are its name between exclamation marks, and what comes after.
  await (db as unknown as Compactable).compactRange(`!${name}!`, `!${name}"`, { keyEncoding: 'utf8' })
}

/** Codes of an error and of what caused it. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let at = error; at instanceof Error && codes.length < 8; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') codes.push(at.code)
  }
  return codes
}
