import { openTable, type Database } from '#node/store/database.ts'

/** Tables that the next start makes again: the index of the messages from the log, that of the chain from the chain. */
const INDEXES = ['accept', 'chain'] as const

/** Forgets the indexes of a store that no node has open; the next start makes them again, which takes time with their size. */
export async function forgetIndexes(db: Database): Promise<void> {
  for (const name of INDEXES) await openTable(db, name).clear()
  await db.batch([], { sync: true })
}
