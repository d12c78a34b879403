import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import toBuffer from 'it-to-buffer'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { utf8 } from '#core/encoding/bytes.ts'
import { backUp, type BackupInit, type BackupReport } from '#node/store/backup/back-up.ts'
import { listSnapshots } from '#node/store/backup/manifest.ts'
import { restore, verifyBackup } from '#node/store/backup/restore.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createMessageLog } from '#node/store/messages.ts'
import { forgetIndexes } from '#node/store/rebuild.ts'
import { openStore, UNFINISHED } from '#node/store/schema.ts'
import { expectCode } from '#test/error-code.ts'

const patient = new Uint8Array(32).fill(1)

describe('backup of a store', function () {
  this.timeout(60_000)
  let folder: string
  let dataDir: string
  let to: string
  let target: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-backup-'))
    dataDir = join(folder, 'data')
    to = join(folder, 'backups')
    target = join(folder, 'restored')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function withStore<T>(dir: string, use: (store: Store) => Promise<T>): Promise<T> {
    const db = await openStore(dir)
    const blockstore = createBlockstore({ db, directory: join(dir, 'blocks') })
    await blockstore.start()
    const messages = createMessageLog({ db })
    try {
      return await use({ db, blockstore, messages })
    } finally {
      await messages.stop()
      await blockstore.stop()
      await db.close()
    }
  }
  interface Store {
    readonly db: Database
    readonly blockstore: ReturnType<typeof createBlockstore>
    readonly messages: ReturnType<typeof createMessageLog>
  }

  async function putBlock({ blockstore }: Store, sizeBytes: number): Promise<CID> {
    const bytes = new Uint8Array(randomBytes(sizeBytes))
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await blockstore.put(cid, bytes)
    return cid
  }
  const append = async ({ messages }: Store, from: number, count: number): Promise<void> => {
    const numbers = Array.from({ length: count }, (_, i) => String(from + i))
    await Promise.all(numbers.map(n => messages.append(`key-${n}`, utf8(`message ${n}`.repeat(40)), [patient])))
  }
  const back = async ({ db }: Store, init: Partial<BackupInit> = {}): Promise<BackupReport> =>
    backUp({ db, dataDir, clock: Date.now }, { to, ...init })
  const rowsIn = async (db: Database): Promise<string[]> => {
    const rows = await db.iterator({ keyEncoding: 'utf8', valueEncoding: 'view' }).all()
    return rows.map(([key, value]) => `${key} ${Buffer.from(value).toString('hex')}`)
  }

  it('brings back every row and block, under a log of another identity', async () => {
    await writeFile(join(folder, 'x'), '')
    const { cids, rows, id } = await withStore(dataDir, async store => {
      await append(store, 0, 300)
      const cids = [await putBlock(store, 100), await putBlock(store, 100_000), await putBlock(store, 200_000)]
      const id = await store.messages.id()
      await writeFile(join(dataDir, 'identity.key'), 'key')
      const report = await back(store)
      expect(report).to.include({ blocks: 2, newBlocks: 2, damagedBlocks: 0 })
      return { cids, rows: await rowsIn(store.db), id }
    })
    const report = await restore({ from: to, to: target })
    expect(report.blocks).to.equal(2)
    await withStore(target, async store => {
      const isId = (row: string): boolean => row.startsWith('!log-about!id')
      expect(await rowsIn(store.db)).to.deep.equal(rows.filter(row => !isId(row)))
      for (const cid of cids) {
        const bytes = await toBuffer(store.blockstore.get(cid))
        expect((await sha256.digest(bytes)).digest).to.deep.equal(cid.multihash.digest)
      }
      expect(await store.messages.id()).not.to.deep.equal(id)
      expect(await store.messages.head()).to.equal(300)
    })
    expect(await readFile(join(target, 'identity.key'), 'utf8')).to.equal('key')
  })

  it('is of one moment, whatever is written meanwhile', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 2_000)
      let late: Promise<void> | undefined
      await back(store, {
        onProgress: () => {
          late ??= append(store, 2_000, 500)
        }
      })
      await late
      expect(late).not.to.equal(undefined)
    })
    await restore({ from: to, to: target })
    await withStore(target, async ({ messages }) => {
      expect(await messages.head()).to.equal(2_000)
      expect(await messages.byPatient(patient, 0, 10_000)).to.have.length(2_000)
    })
  })

  it('writes only what is new the second time, and keeps the older one', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 3_000)
      await putBlock(store, 100_000)
      const first = await back(store)
      await append(store, 3_000, 10)
      await putBlock(store, 100_000)
      const second = await back(store)
      expect(second).to.include({ blocks: 2, newBlocks: 1 })
      expect(second.newBytes).to.be.below(first.newBytes)
      expect(second.newChunks).to.be.below(second.chunks)
    })
    const [older] = await listSnapshots(to)
    await restore({ from: to, to: target, snapshot: older ?? '' })
    await withStore(target, async ({ messages }) => expect(await messages.head()).to.equal(3_000))
  })

  it('is found damaged, whichever file of it a disk has changed', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 500)
      await putBlock(store, 100_000)
      await back(store)
    })
    expect((await verifyBackup({ from: to })).blocks).to.equal(1)
    const files = (await readdir(to, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
    expect(files.length).to.be.at.least(3)
    for (const entry of files) {
      const file = join(entry.parentPath, entry.name)
      const whole = await readFile(file)
      const changed = Buffer.from(whole)
      const at = Math.floor(changed.length / 2)
      changed[at] = (changed[at] ?? 0) ^ 1
      await writeFile(file, changed)
      let code = ''
      await verifyBackup({ from: to }).catch((error: unknown) => (code = String((error as { code?: unknown }).code)))
      expect(code).to.match(/^(SNAPSHOT_DAMAGED|SNAPSHOT_DAMAGED|BLOCK_DAMAGED)$/)
      await rm(`${file}.damaged`, { force: true })
      await writeFile(file, whole)
    }
    await verifyBackup({ from: to })
  })

  it('refuses a target in the node’s own folder, and to restore over something', async () => {
    await withStore(dataDir, async store => {
      await expectCode('SNAPSHOT_FOLDER', async () => back(store, { to: join(dataDir, 'inside') }))
      await expectCode('SNAPSHOT_FOLDER', async () => back(store, { to: dataDir }))
      await back(store)
    })
    await expectCode('RESTORE_FOLDER', async () => restore({ from: to, to: dataDir }))
    await expectCode('SNAPSHOT_UNKNOWN', async () => restore({ from: to, to: target, snapshot: 'snapshot-1' }))
    await expectCode('SNAPSHOT_FOLDER', async () => restore({ from: join(folder, 'nowhere'), to: target }))
  })

  it('leaves nothing that counts when it is broken off', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 3_000)
      const stop = new AbortController()
      const reason = new Error('enough')
      const outcome = back(store, { signal: stop.signal, onProgress: () => stop.abort(reason) })
      expect(await outcome.catch((error: unknown) => error)).to.equal(reason)
      expect(await listSnapshots(to)).to.deep.equal([])
      await back(store)
    })
    expect((await verifyBackup({ from: to })).rows).to.be.above(3_000)
  })

  it('does not open a folder whose restore was broken off, and restores it again', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 3_000)
      await back(store)
    })
    const stop = new AbortController()
    const options = { signal: stop.signal, onProgress: () => stop.abort() }
    await restore({ from: to, to: target }, options).catch(() => undefined)
    expect(await readdir(target)).to.include(UNFINISHED)
    await expectCode('STORE_RESTORE_UNFINISHED', async () => openStore(target))
    await restore({ from: to, to: target })
    await withStore(target, async ({ messages }) => expect(await messages.head()).to.equal(3_000))
  })

  it('has what was acknowledged before each backup, also of a process that is killed', async () => {
    const child = fork(new URL('./backup-process.ts', import.meta.url), [dataDir, to], { silent: true })
    let acknowledged = 0
    const backed = new Map<string, number>()
    let before = 0
    child.on('message', ({ position = 0, snapshot }: { position?: number; snapshot?: string }) => {
      acknowledged = Math.max(acknowledged, position)
      if (snapshot == null) return
      // What was acknowledged when the backup before this one was done, is in this one.
      backed.set(snapshot, before)
      before = acknowledged
      if (backed.size === 4) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    expect(backed.size).to.be.at.least(4)
    for (const [snapshot, least] of backed) {
      const into = `${target}-${snapshot.slice(9, 24)}`
      await restore({ from: to, to: into, snapshot })
      await withStore(into, async ({ messages, blockstore }) => {
        expect(await messages.head()).to.be.at.least(least)
        for (const { bytes } of await messages.read(0, 1_000_000)) {
          expect(await blockstore.has(CID.decode(bytes))).to.equal(true)
        }
      })
    }
    await withStore(dataDir, async ({ messages }) => expect(await messages.head()).to.be.at.least(acknowledged))
  })

  it('forgets the indexes that are made again, and nothing else', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 5)
      for (const name of ['accept', 'chain']) await openTable(store.db, name).put('key', utf8('value'))
      const rows = await rowsIn(store.db)
      await forgetIndexes(store.db)
      const isIndex = (row: string): boolean => /^!(accept|chain)!/.test(row)
      expect(await rowsIn(store.db)).to.deep.equal(rows.filter(row => !isIndex(row)))
    })
  })

  it('migrates a store of an earlier version, and refuses one of a newer', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 5)
      await openTable(store.db, 'store').del('schema')
      await openTable(store.db, 'log-sum').clear()
    })
    await withStore(dataDir, async ({ db }) => {
      expect(await openTable(db, 'log-sum').keys().all()).to.have.length(5)
      await openTable(db, 'accept').put('blob/b/1', utf8(''))
      await openTable(db, 'store').put('schema', utf8('2'))
    })
    await withStore(dataDir, async ({ db, messages }) => {
      // Made again from the log by the node: of what is in it, the patient was not known.
      expect(await openTable(db, 'accept').keys().all()).to.deep.equal([])
      expect(await messages.head()).to.equal(5)
      await openTable(db, 'store').put('schema', utf8('4'))
    })
    await expectCode('STORE_SCHEMA_NEWER', async () => openStore(dataDir))
  })

  it('refuses a store whose version a disk has changed', async () => {
    for (const text of ['', '2x', '-1', '0', 'NaN']) {
      const dir = join(folder, `v${text}`)
      await withStore(dir, async ({ db }) => openTable(db, 'store').put('schema', utf8(text)))
      await expectCode('STORE_DAMAGED', async () => openStore(dir))
    }
  })
})
