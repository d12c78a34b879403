import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { createDatastore } from '#node/store/datastore.ts'

describe('the datastore of libp2p', () => {
  const value = Uint8Array.of(1)
  let directory: string
  let db: Database
  let datastore: ReturnType<typeof createDatastore>
  let key: Parameters<typeof datastore.put>[0]

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-datastore-'))
    db = await openDatabase(directory)
    datastore = createDatastore(db)
    await openTable(db, 'datastore').put('/a', value)
    for await (const each of datastore.queryKeys({})) key = each
  })
  afterEach(async () => {
    await db.close()
    await rm(directory, { recursive: true })
  })

  async function keys(): Promise<string[]> {
    const found: string[] = []
    for await (const pair of datastore.query({})) found.push(pair.key.toString())
    for await (const each of datastore.queryKeys({})) found.push(each.toString())
    return found
  }

  it('keeps what is put', async () => {
    expect(await datastore.get(key)).to.deep.equal(value)
    expect(await datastore.has(key)).to.equal(true)
    expect(await keys()).to.deep.equal(['/a', '/a'])
    const batch = datastore.batch()
    batch.delete(key)
    batch.put(key.child(key), value)
    await batch.commit()
    expect(await keys()).to.deep.equal(['/a/a', '/a/a'])
  })

  it('is empty once the database is closed, and fails at nothing', async () => {
    const batch = datastore.batch()
    batch.put(key, value)
    const begun = datastore.queryKeys({})
    await db.close()
    expect(await datastore.get(key).catch((error: unknown) => error)).to.have.property('name', 'NotFoundError')
    expect(await datastore.has(key)).to.equal(false)
    expect(await keys()).to.deep.equal([])
    for await (const each of begun) expect.fail(each.toString())
    expect(await datastore.put(key, value)).to.equal(key)
    await datastore.delete(key)
    await batch.commit()
  })
})
