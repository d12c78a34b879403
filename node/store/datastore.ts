import { LevelDatastore } from 'datastore-level'
import type { Level } from 'level'
import { openTable, type Database } from '#node/store/database.ts'

/** Where Helia and libp2p keep pins, peers and keys: a part of the node's database. */
export function createDatastore(db: Database): LevelDatastore {
  // A part of a database has every method that LevelDatastore calls on a whole one, which its type does not say.
  return new LevelDatastore(openTable(db, 'datastore') as unknown as Level<string, Uint8Array>)
}
