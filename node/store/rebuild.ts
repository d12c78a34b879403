import { openTable, type Database } from '#node/store/database.ts'

/** Tables that the next start makes again: the index of the messages from the log, that of the chain from the chain. */
const INDEXES = ['accept', 'chain'] as const
/** Rows of things that ended in blocks that are no longer in the chain. */
const ENDED = 'ended/'

/**
 * Forgets the indexes of a store that no node has open; the next start makes them again, which takes time with their size. What ended in blocks
 * that are gone is forgotten too, as the chain cannot tell it.
 */
export async function forgetIndexes(db: Database): Promise<void> {
  for (const name of INDEXES) await openTable(db, name).clear()
  await db.batch([], { sync: true })
}

/** Forgets ends that the chain does not have, of a store that no node has open; returns how many. */
export async function forgetEnds(db: Database): Promise<number> {
  const table = openTable(db, 'chain')
  await table.open()
  const range = { gte: ENDED, lt: `${ENDED}~` }
  let ends = 0
  for await (const key of table.keys(range)) ends += key.startsWith(ENDED) ? 1 : 0
  await table.clear(range)
  await db.batch([], { sync: true })
  return ends
}
