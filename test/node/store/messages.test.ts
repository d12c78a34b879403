import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { createMessageLog } from '#node/store/messages.ts'
import { expectCode } from '#test/error-code.ts'

const alice = new Uint8Array(32).fill(1)
const bob = new Uint8Array(32).fill(2)

describe('message log', () => {
  let directory: string
  let db: Database

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-log-'))
    db = await openDatabase(join(directory, 'db'))
  })
  afterEach(async () => {
    await db.close()
    await rm(directory, { recursive: true })
  })

  it('gives positions from 1 without gaps, also when many append at once', async () => {
    const log = createMessageLog({ db })
    const keys = Array.from({ length: 500 }, (_, i) => `key-${String(i)}`)
    const positions = await Promise.all(keys.map(key => log.append(key, utf8(key), [])))
    expect(positions).to.deep.equal(keys.map((_, i) => i + 1))
    expect(await log.head()).to.equal(500)
  })

  it('keeps a message once, whoever appends it and when', async () => {
    const log = createMessageLog({ db })
    const [first, second] = await Promise.all([log.append('a', utf8('a'), []), log.append('a', utf8('other'), [])])
    expect([first, second, await log.append('a', utf8('late'), [])]).to.deep.equal([1, 1, 1])
    expect(await log.append('b', utf8('b'), [])).to.equal(2)
    expect((await log.getByKey('a'))?.bytes).to.deep.equal(utf8('a'))
    expect(await log.getByKey('c')).to.equal(undefined)
  })

  it('goes on where it stopped, under the same identity, after it was opened again', async () => {
    const before = createMessageLog({ db })
    await before.append('a', utf8('a'), [alice])
    const id = await before.id()
    await before.stop()
    await db.close()
    db = await openDatabase(join(directory, 'db'))
    const log = createMessageLog({ db })
    expect(await log.id()).to.deep.equal(id)
    expect(await log.append('b', utf8('b'), [alice])).to.equal(2)
    expect((await log.byPatient(alice, 0, 10)).map(record => record.position)).to.deep.equal([1, 2])
  })

  it('reads pages after a position, bounded by count and bytes', async () => {
    const log = createMessageLog({ db })
    for (let i = 0; i < 10; i++) await log.append(`k${String(i)}`, new Uint8Array(100), [i % 2 === 0 ? alice : bob])
    const positions = async (page: ReturnType<typeof log.read>) => (await page).map(({ position }) => position)
    expect(await positions(log.read(3, 4))).to.deep.equal([4, 5, 6, 7])
    expect(await positions(log.read(0, 10, 250))).to.deep.equal([1, 2])
    expect(await positions(log.read(0, 10, 1))).to.deep.equal([1])
    expect(await positions(log.read(10, 10))).to.deep.equal([])
    expect(await positions(log.byPatient(bob, 4, 2))).to.deep.equal([6, 8])
    expect(await positions(log.byPatient(alice, 0, 10, 250))).to.deep.equal([1, 3])
    expect(await positions(log.byPatient(new Uint8Array(32), 0, 10))).to.deep.equal([])
  })

  it('refuses appends once it is stopped, after it has written what it took', async () => {
    const log = createMessageLog({ db })
    const taken = log.append('a', utf8('a'), [])
    await log.append('b', utf8('b'), [])
    await log.stop()
    expect(await taken).to.equal(1)
    await expectCode('STORE_CLOSED', () => log.append('c', utf8('c'), []))
  })

  it('says that another process has the database open', async () => {
    await expectCode('STORE_LOCKED', () => openDatabase(join(directory, 'db')))
  })

  it('has everything that was acknowledged after kill -9', async function () {
    if (process.platform === 'win32') this.skip()
    await db.close()
    const child = fork(new URL('./append-process.ts', import.meta.url), [join(directory, 'db')], { silent: true })
    let acknowledged = 0
    child.on('message', position => {
      acknowledged = Number(position)
      if (acknowledged > 200) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    db = await openDatabase(join(directory, 'db'))
    const log = createMessageLog({ db })
    const records = await log.read(0, 1_000_000)
    expect(records.length).to.be.at.least(acknowledged)
    expect(records.map(({ position }) => position)).to.deep.equal(records.map((_, i) => i + 1))
    expect(await log.byPatient(alice, 0, 1_000_000)).to.have.length(records.length)
    for (const { position, bytes } of records) {
      expect((await log.getByKey(`key-${new TextDecoder().decode(bytes)}`))?.position).to.equal(position)
    }
  })

  it('leaves out for readers what the disk has changed, and goes on behind it', async () => {
    const log = createMessageLog({ db })
    for (let i = 1; i <= 10; i++) await log.append(String(i), utf8(`message ${String(i)}`), [alice])
    const rows = openTable(db, 'log')
    const keys = await rows.keys().all()
    for (const key of keys.slice(2, 8)) await rows.put(key, utf8('damaged'))
    const positions = (records: readonly { position: number }[]): number[] => records.map(({ position }) => position)
    expect(positions(await log.byPatient(alice, 0, 3))).to.deep.equal([1, 2, 9])
    expect(positions(await log.byPatient(alice, 2, 1))).to.deep.equal([9])
    expect(positions(await log.newestByPatient(alice, 11, 3))).to.deep.equal([10, 9, 2])
    expect([(await log.at(3))?.isDamaged, (await log.at(1))?.isDamaged, await log.at(11)]).to.deep.equal([
      true,
      false,
      undefined
    ])
    await log.mend(3, utf8('message 3'))
    expect(positions(await log.byPatient(alice, 0, 3))).to.deep.equal([1, 2, 3])
    // It is the checksum that is damaged here.
    const sums = openTable(db, 'log-sum')
    const sum = Uint8Array.from((await sums.get(keys[0] ?? '')) ?? [])
    sum[3] = (sum[3] ?? 0) ^ 1
    await sums.put(keys[0] ?? '', sum)
    expect((await log.at(1))?.isDamaged).to.equal(false)
  })
})
