import { LevelDatastore } from 'datastore-level'
import type { Level } from 'level'
import { openTable, type Database } from '#node/store/database.ts'

type Put = Parameters<LevelDatastore['put']>

/** Where Helia and libp2p keep pins, peers and keys: a part of the node's database. */
export function createDatastore(db: Database): LevelDatastore {
  return new Datastore(db)
}

class Datastore extends LevelDatastore {
  readonly #whole: Database

  constructor(db: Database) {
    // A part of a database has every method that LevelDatastore calls on a whole one, which its type does not say.
    super(openTable(db, 'datastore') as unknown as Level<string, Uint8Array>)
    this.#whole = db
  }

  override async put(key: Put[0], value: Put[1], options?: Put[2]): Promise<Put[0]> {
    // libp2p notes what it learns of peers without waiting, also after its stop: a failure then would end the process.
    if (this.#whole.status !== 'open') return key
    return await super.put(key, value, options)
  }
}
