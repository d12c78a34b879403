import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import toBuffer from 'it-to-buffer'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { utf8 } from '#core/encoding/bytes.ts'
import { backUp, type BackupInit, type BackupReport } from '#node/store/backup/back-up.ts'
import { backupError } from '#node/store/backup/backup-error.ts'
import { chunksOf, writeChunk, type Row } from '#node/store/backup/chunks.ts'
import { lastBackupMs } from '#node/store/backup/last-backup.ts'
import { listSnapshots, writeManifest } from '#node/store/backup/manifest.ts'
import { restore, verifyBackup } from '#node/store/backup/restore.ts'
import { cidOfName, createBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { failedWrite } from '#node/store/disk.ts'
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
      const isId = (row: string): boolean => /^!(log-about!id|store!backed-up-at) /.test(row)
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
      expect(code).to.equal(file.endsWith('.data') ? 'SNAPSHOT_INCOMPLETE' : 'SNAPSHOT_DAMAGED')
      // It only looks: the backup may be on a medium that cannot be written.
      expect((await readFile(file)).equals(changed)).to.equal(true)
      await writeFile(file, whole)
    }
    await verifyBackup({ from: to })
  })

  /** Changes a bit of each file of a block in a folder. */
  async function damageBlocks(dir: string): Promise<void> {
    const entries = await readdir(join(dir, 'blocks'), { recursive: true, withFileTypes: true })
    for (const entry of entries.filter(one => one.isFile())) {
      const file = join(entry.parentPath, entry.name)
      const bytes = await readFile(file)
      bytes[9] = (bytes[9] ?? 0) ^ 1
      await writeFile(file, bytes)
    }
  }

  it('writes a block again that has gone bad in it, while there is a good one', async () => {
    await withStore(dataDir, async store => {
      await putBlock(store, 100_000)
      await back(store)
      await damageBlocks(to)
      expect(await back(store)).to.include({ blocks: 1, newBlocks: 1, damagedBlocks: 0 })
      await verifyBackup({ from: to })
      expect(await back(store)).to.include({ blocks: 1, newBlocks: 0 })
    })
  })

  it('is restored but for the blocks that have gone bad in it, which are noted as missing', async () => {
    const cids = await withStore(dataDir, async store => {
      await append(store, 0, 10)
      const bad = await putBlock(store, 100_000)
      await back(store)
      await damageBlocks(to)
      const good = await putBlock(store, 100_000)
      await back(store, { to: `${to}-2` })
      // A folder with one bad block and one good one.
      await cp(join(to, 'blocks'), join(`${to}-2`, 'blocks'), { recursive: true, force: true })
      return { bad, good }
    })
    await expectCode('SNAPSHOT_INCOMPLETE', async () => verifyBackup({ from: `${to}-2` }))
    const report = await restore({ from: `${to}-2`, to: target })
    expect(report).to.include({ blocks: 1, missingBlocks: 1 })
    await withStore(target, async ({ messages, blockstore }) => {
      expect(await messages.head()).to.equal(10)
      expect([await blockstore.has(cids.bad), await blockstore.has(cids.good)]).to.deep.equal([false, true])
      expect(blockstore.damaged().map(String)).to.deep.equal([cids.bad.toString()])
      expect(await blockstore.recheck(cids.bad)).to.equal(false)
    })
  })

  it('tells of a block that has gone bad on the disk, and leaves it where it is', async () => {
    await withStore(dataDir, async store => {
      const cid = await putBlock(store, 100_000)
      await damageBlocks(dataDir)
      const onDamaged = async (name: string): Promise<void> => store.blockstore.noteDamaged(cidOfName(name))
      const report = await backUp({ db: store.db, dataDir, clock: Date.now, onDamaged }, { to })
      expect(report).to.include({ blocks: 0, damagedBlocks: 1 })
      expect(store.blockstore.damaged().map(String)).to.deep.equal([cid.toString()])
      const files = await readdir(join(dataDir, 'blocks'), { recursive: true })
      expect(files.filter(name => name.endsWith('.data'))).to.have.length(1)
    })
  })

  it('holds no token and no answer, and brings back none out of an older one', async () => {
    const secret: Row[] = [
      ['!answered!a/b', utf8('answer')],
      ['!log!00000000000001', utf8('message')],
      ['!tokens!ab', utf8('token')]
    ]
    await withStore(dataDir, async store => {
      await store.db.batch(secret.map(([key, value]) => ({ type: 'put', key, value })))
      await back(store)
    })
    await restore({ from: to, to: target })
    const old = join(folder, 'old')
    const chunks: Uint8Array[] = []
    for await (const { bytes } of chunksOf(Readable.from(secret) as AsyncIterable<Row>)) {
      chunks.push((await writeChunk(old, bytes)).digest)
    }
    await writeManifest(old, {
      ...{ createdAtMs: 1, schema: 2, rows: 3, blocks: 0 },
      rowChunks: chunks,
      nameChunks: [],
      files: []
    })
    await restore({ from: old, to: `${target}-old` })
    for (const dir of [target, `${target}-old`]) {
      await withStore(dir, async ({ db }) => {
        const rows = await rowsIn(db)
        expect(rows.filter(row => /^!(answered|tokens)!/.test(row))).to.deep.equal([])
        expect(rows.some(row => row.startsWith('!log!'))).to.equal(true)
      })
    }
  })

  it('says why it could not be made', async () => {
    await withStore(dataDir, async store => {
      await append(store, 0, 3)
      await symlink(dataDir, join(folder, 'link'))
      await expectCode('SNAPSHOT_FOLDER', async () => back(store, { to: join(folder, 'link', 'backups') }))
      await writeFile(join(folder, 'file'), '')
      await expectCode('SNAPSHOT_FOLDER', async () => back(store, { to: join(folder, 'file') }))
      expect(await lastBackupMs(store.db)).to.equal(undefined)
      await back(store)
      expect(await lastBackupMs(store.db)).to.be.closeTo(Date.now(), 60_000)
    })
    const fault = (code: string): Error => new Error('x', { cause: Object.assign(new Error('y'), { code }) })
    expect(backupError(fault('ENOSPC'), to)).to.have.property('code', 'SNAPSHOT_FULL')
    expect(backupError(failedWrite(fault('EDQUOT')), to)).to.have.property('code', 'SNAPSHOT_FULL')
    expect(backupError(failedWrite(fault('EIO')), to)).to.have.property('code', 'SNAPSHOT_FOLDER')
    const other = new Error('other')
    expect(backupError(other, to)).to.equal(other)
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
