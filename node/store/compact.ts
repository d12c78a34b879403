/** Having a database forget what was deleted in it, in its files too (docs/specs/erasure.md). */
import { readdir } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { SalusError } from '#core/error.ts'
import type { Database } from '#node/store/database.ts'

/** What LevelDB has and `level`, which also runs in browsers, has no type for. */
interface Compactable {
  readonly location: string
  compactRange(start: string, end: string, options: { readonly keyEncoding: 'utf8' }): Promise<void>
  getProperty(name: string): string
}

const MAX_ROUNDS = 40
const PAUSE_MS = 100

/**
 * Has the database rewrite the files of a table and delete the old ones, so that what was deleted or replaced in it is in none of its
 * files when this resolves. What the file system or the drive keeps of deleted files, this does not reach.
 *
 * @throws SalusError `STORE_COMPACT` if the old files stay for seconds, because somebody reads from them all the time
 */
export async function compactTable(db: Database, name: string): Promise<void> {
  // A part's keys are its name between exclamation marks, and what comes after.
  await compactKeys(db, `!${name}`)
}

/**
 * As {@link compactTable}, for the keys that begin with a name and an exclamation mark.
 *
 * @throws SalusError `STORE_COMPACT`
 */
export async function compactKeys(db: Database, name: string): Promise<void> {
  const level = db as unknown as Compactable
  const [first, last] = [`${name}!`, `${name}"`] as const
  await level.compactRange(first, last, { keyEncoding: 'utf8' })
  for (let round = 0; round < MAX_ROUNDS; round++) {
    // LevelDB rewrites files of its lowest level only where a file above covers the same keys: two deletions of nothing make one.
    await db.batch(
      [first, `${name}!\uffff`].map(key => ({ type: 'del', key })),
      { sync: true }
    )
    await level.compactRange(first, last, { keyEncoding: 'utf8' })
    if (!(await hasOldFiles(level))) return
    await pause(PAUSE_MS)
  }
  throw new SalusError(
    'STORE_COMPACT',
    'The database cannot let go of its old files while they are read; trying again.'
  )
}

/** Whether there are files that the database no longer uses: a reader holds them, and the next compaction deletes them. */
async function hasOldFiles(level: Compactable): Promise<boolean> {
  const used = new Set(
    Array.from(level.getProperty('leveldb.sstables').matchAll(/^ (\d+):/gm), ([, number]) => Number(number))
  )
  const files = await readdir(level.location)
  return files.some(file => file.endsWith('.ldb') && !used.has(Number.parseInt(file, 10)))
}
