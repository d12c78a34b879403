import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openPending } from '#node/assembly/pending.ts'
import { openDatabase, type Database } from '#node/store/database.ts'

describe('the queue of waiting messages', () => {
  let dir: string
  let db: Database

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-pending-'))
    db = await openDatabase(dir)
  })

  afterEach(async () => {
    await db.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('is bounded in messages and bytes, and takes each message once', async () => {
    const few = await openPending(db, { maxMessages: 2 })
    expect(await few.add('a', new Uint8Array(10), 0)).to.equal(true)
    expect(await few.add('a', new Uint8Array(10), 0)).to.equal(true)
    expect(await few.add('b', new Uint8Array(10), 0)).to.equal(true)
    expect(await few.add('c', new Uint8Array(10), 0)).to.equal(false)
    await few.remove('a')
    expect(await few.add('c', new Uint8Array(10), 0)).to.equal(true)
    const small = await openPending(db, { maxBytes: 25 })
    expect(await small.add('d', new Uint8Array(10), 0)).to.equal(false)
  })

  it('survives a restart and forgets after ten minutes of the chain', async () => {
    await (await openPending(db)).add('a', Uint8Array.of(1, 2), 1_000)
    const again = await openPending(db)
    // Times are not kept: the first look counts as the arrival.
    expect(await again.due(5_000)).to.deep.equal([{ key: 'a', bytes: Uint8Array.of(1, 2) }])
    expect(await again.due(5_600)).to.have.length(1)
    expect(await again.due(5_601)).to.deep.equal([])
    expect(await (await openPending(db)).due(9_000)).to.deep.equal([])
  })
})
