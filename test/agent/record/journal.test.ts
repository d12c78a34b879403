import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createJournals, type Journal, type Journals } from '#agent/record/journal.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openDatabase, type Database } from '#node/store/database.ts'

const SEED = new Uint8Array(32).fill(7)
const row = (text: string): Uint8Array => utf8(text)

describe('the journal of a record', () => {
  let home: string
  let journals: Journals

  const open = (): Journals => createJournals({ p, random: length => new Uint8Array(randomBytes(length)) }, { home })
  const reopen = async (): Promise<Journal> => {
    await journals.close()
    journals = open()
    return journals.of(SEED, 'patient/1')
  }
  const texts = async (journal: Journal): Promise<[string, string][]> =>
    [...(await journal.load())].map(([key, bytes]) => [key, new TextDecoder().decode(bytes)])
  /** Changes the database while no journal has it open. */
  const tamper = async (change: (db: Database, keys: string[]) => Promise<void>): Promise<void> => {
    await journals.close()
    const db = await openDatabase(join(home, 'index'))
    await change(db, await db.keys().all())
    await db.close()
    journals = open()
  }

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'salus-journal-'))
    journals = open()
    const journal = journals.of(SEED, 'patient/1')
    await journal.load()
    await journal.write(new Map([['a', row('secret one')]]))
    await journal.write(new Map([['b', row('two')]]))
    await journal.write(new Map<string, Uint8Array | null>([['a', null]]).set('c', row('three')))
  })

  afterEach(async () => {
    await journals.close()
    await rm(home, { recursive: true })
  })

  it('gives the rows as they were last written', async () => {
    const journal = await reopen()
    expect(await texts(journal)).to.deep.equal([
      ['b', 'two'],
      ['c', 'three']
    ])
    await journal.write(new Map([['b', row('again')]]))
    expect(await texts(await reopen())).to.deep.include(['b', 'again'])
  })

  it('tells neither rows nor whose they are on the disk', async () => {
    await journals.close()
    for (const name of await readdir(join(home, 'index'))) {
      const bytes = await readFile(join(home, 'index', name), 'latin1')
      for (const secret of ['secret one', 'patient/1']) expect(bytes).to.not.contain(secret)
    }
  })

  it('keeps records apart, and shows nothing to another device', async () => {
    expect(await texts(journals.of(SEED, 'patient/2'))).to.deep.equal([])
    expect(await texts(journals.of(new Uint8Array(32), 'patient/1'))).to.deep.equal([])
    expect(await texts(await reopen())).to.have.lengthOf(2)
  })

  it('begins anew where a segment is damaged, missing or moved', async () => {
    const attacks: ((db: Database, keys: string[]) => Promise<void>)[] = [
      async (db, [, second]) => {
        const bytes = Uint8Array.from(await db.get(second!))
        bytes[bytes.length - 1]! ^= 1
        await db.put(second!, bytes)
      },
      async (db, [, second]) => db.del(second!),
      async (db, [first]) => db.del(first!),
      async (db, [first, second]) => db.put(second!, await db.get(first!))
    ]
    for (const attack of attacks) {
      await tamper(attack)
      const journal = journals.of(SEED, 'patient/1')
      expect(await texts(journal)).to.deep.equal([])
      await journal.write(new Map([['x', row('1')]]))
      await journal.write(new Map([['y', row('2')]]))
      await journal.write(new Map([['z', row('3')]]))
      expect(await texts(await reopen())).to.have.lengthOf(3)
    }
  })

  it('forgets what is out of date', async () => {
    const journal = await reopen()
    await journal.load()
    for (let i = 0; i < 100; i++) await journal.write(new Map([['b', row(String(i))]]))
    expect(await texts(await reopen())).to.have.lengthOf(2)
    await tamper(async (_db, keys) => {
      expect(keys).to.have.lengthOf(1)
      return Promise.resolve()
    })
    expect(await texts(journals.of(SEED, 'patient/1'))).to.deep.include(['b', '99'])
  })

  /** Whether sealed bytes lie in any file of the database. */
  const isOnDisk = async (sealed: Uint8Array): Promise<boolean> => {
    const files = await readdir(join(home, 'index'))
    const read = await Promise.all(files.map(async name => readFile(join(home, 'index', name))))
    return read.some(bytes => bytes.includes(Buffer.from(sealed.subarray(-40))))
  }

  it('leaves no old segment in any file once something is to be forgotten', async () => {
    const old: Uint8Array[] = []
    await tamper(async (db, keys) => void old.push(...(await db.getMany(keys)).map(bytes => Uint8Array.from(bytes))))
    expect(old).to.have.lengthOf(3)
    expect(await isOnDisk(old[0]!)).to.equal(true)
    const journal = await reopen()
    await journal.load()
    await journal.write(new Map([['b', null]]), { forgets: true })
    for (const sealed of old) expect(await isOnDisk(sealed)).to.equal(false)
    await journal.write(new Map([['d', row('four')]]))
    expect(await texts(await reopen())).to.deep.equal([
      ['c', 'three'],
      ['d', 'four']
    ])
  })

  it('forgets at the next start what a crash kept', async () => {
    const old: Uint8Array[] = []
    await tamper(async (db, keys) => {
      old.push(...(await db.getMany(keys)).map(bytes => Uint8Array.from(bytes)))
      await db.put(`${keys[0]!.split('!')[0]!}#`, new Uint8Array())
    })
    expect(await texts(journals.of(SEED, 'patient/1'))).to.have.lengthOf(2)
    for (const sealed of old) expect(await isOnDisk(sealed)).to.equal(false)
    await tamper(async (_db, keys) => {
      expect(keys).to.have.lengthOf(1)
      return Promise.resolve()
    })
  })
})
