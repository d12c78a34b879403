import { LevelDatastore } from 'datastore-level'
import { NotFoundError } from 'interface-store'
import type { Level } from 'level'
import { openTable, type Database } from '#node/store/database.ts'

type Put = Parameters<LevelDatastore['put']>
type Get = Parameters<LevelDatastore['get']>
type Query = Parameters<LevelDatastore['query']>
type QueryKeys = Parameters<LevelDatastore['queryKeys']>
type Batch = ReturnType<LevelDatastore['batch']>

/**
 * Where Helia and libp2p keep pins, peers and keys: a part of the node's database. Once the database is closed it is
 * empty and forgets what is put: libp2p notes and looks up what it learns of peers without waiting, also after its stop,
 * and a failure then would end the process.
 */
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
    return await this.#unlessClosed(
      () => super.put(key, value, options),
      () => key
    )
  }

  override async get(key: Get[0], options?: Get[1]): ReturnType<LevelDatastore['get']> {
    return await this.#unlessClosed(
      () => super.get(key, options),
      () => {
        throw new NotFoundError()
      }
    )
  }

  override async has(key: Get[0], options?: Get[1]): Promise<boolean> {
    return await this.#unlessClosed(
      () => super.has(key, options),
      () => false
    )
  }

  override async delete(key: Get[0], options?: Get[1]): Promise<void> {
    await this.#unlessClosed(
      () => super.delete(key, options),
      () => undefined
    )
  }

  override batch(): Batch {
    const batch = super.batch()
    return {
      put: (key, value) => batch.put(key, value),
      delete: key => batch.delete(key),
      commit: async options => {
        await this.#unlessClosed(
          async () => batch.commit(options),
          () => undefined
        )
      }
    }
  }

  override query(query: Query[0], options?: Query[1]): ReturnType<LevelDatastore['query']> {
    return this.#whileOpen(() => super.query(query, options))
  }

  override queryKeys(query: QueryKeys[0], options?: QueryKeys[1]): ReturnType<LevelDatastore['queryKeys']> {
    return this.#whileOpen(() => super.queryKeys(query, options))
  }

  #closed(): boolean {
    return this.#whole.status !== 'open'
  }

  /** Does something, or something else where the database is closed, or was while it was done. */
  async #unlessClosed<T>(operation: () => Promise<T>, otherwise: () => T): Promise<T> {
    if (this.#closed()) return otherwise()
    try {
      return await operation()
    } catch (error) {
      if (!this.#closed()) throw error
      return otherwise()
    }
  }

  /** Walks for as long as the database is open. */
  async *#whileOpen<T>(walk: () => AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
    if (this.#closed()) return
    try {
      yield* walk()
    } catch (error) {
      if (!this.#closed()) throw error
    }
  }
}
