import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { utf8 } from '#core/encoding/bytes.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createDisk, failedWrite, isNoSpace, type Disk, type DiskInit } from '#node/store/disk.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { openStore } from '#node/store/schema.ts'
import { expectCode } from '#test/error-code.ts'
import { log, until } from '#test/node/network/peer.ts'

const patient = new Uint8Array(32).fill(1)

describe('a disk that is full', () => {
  let dataDir: string
  let db: Database
  let disk: Disk
  let blockstore: DiskBlockstore
  let messages: MessageLog
  let free: number | undefined
  let isMounted = false

  async function open(init: Partial<DiskInit> = {}): Promise<void> {
    db = await openStore(dataDir)
    const measured = free == null ? {} : { freeBytes: async () => Promise.resolve(free ?? 0) }
    disk = createDisk({ db, log, ...measured }, { path: dataDir, everyMs: 20, ...init })
    await disk.start()
    blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks'), disk })
    await blockstore.start()
    messages = createMessageLog({ db, disk })
  }
  async function close(): Promise<void> {
    await messages.stop()
    await blockstore.stop()
    await disk.stop()
    await db.close()
  }
  async function put(sizeBytes: number): Promise<CID> {
    const bytes = new Uint8Array(randomBytes(sizeBytes))
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await blockstore.put(cid, bytes)
    return cid
  }
  const append = async (n: number, sizeBytes = 100): Promise<number> =>
    messages.append(`key-${String(n)}`, new Uint8Array(randomBytes(sizeBytes)), [patient])

  beforeEach(async () => {
    free = undefined
    dataDir = await mkdtemp(join(tmpdir(), 'salus-disk-'))
  })
  afterEach(async () => {
    if (db.status === 'open') await close()
    if (isMounted) execFileSync('/bin/umount', [dataDir])
    isMounted = false
    await rm(dataDir, { recursive: true, force: true })
  })

  it('refuses records before the end, reads on, lets what frees room through, and recovers by itself', async () => {
    free = 1_000
    await open({ reserveBytes: 100 })
    const cid = await put(70_000)
    await append(1)
    await append(2)
    free = 150
    await until('low', () => disk.status().state === 'low')
    await append(3)
    free = 99
    await until('full', () => disk.status().state === 'full')
    await expectCode('STORE_FULL', async () => append(4))
    await expectCode('STORE_FULL', async () => put(70_000))
    await expectCode('STORE_FULL', async () => put(70))
    expect(await messages.head()).to.equal(3)
    expect(await blockstore.has(cid)).to.equal(true)
    await messages.erase(['key-1'], patient)
    await blockstore.delete(cid)
    free = 1_000
    await until('room', () => disk.status().state === 'ok')
    expect(await append(4)).to.equal(4)
  })

  it('loses nothing that was acknowledged when the disk itself ends, and recovers once there is room', async function () {
    // A file system of 12 MiB; where none can be mounted, the test above stands for it.
    try {
      execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dataDir], { stdio: 'ignore' })
    } catch {
      await open()
      this.skip()
    }
    isMounted = true
    const ballast = join(dataDir, 'ballast')
    await writeFile(ballast, new Uint8Array(5 << 20))
    // The file system is said to have room: the database itself meets the end.
    free = 1 << 30
    await open({ reserveBytes: 1_000 })
    let acknowledged = 0
    let code: unknown
    const blocks: CID[] = []
    while (code == null && acknowledged < 10_000) {
      try {
        await append(acknowledged, 20_000)
        acknowledged++
        if (acknowledged % 20 === 0) blocks.push(await put(70_000))
      } catch (error) {
        code = (error as { code?: unknown }).code
      }
    }
    expect(code).to.equal('STORE_FULL')
    free = 0
    await until('it is known', () => disk.status().freeBytes === 0)
    expect((await messages.read(0, 100_000)).length).to.be.at.least(acknowledged)
    for (const cid of blocks) expect(await blockstore.has(cid)).to.equal(true)
    await rm(ballast)
    free = 1 << 30
    await until('it writes again', async () =>
      append(-1).then(
        () => true,
        () => false
      )
    )
    await close()
    await open()
    for (let n = 0; n < acknowledged; n++) {
      expect((await messages.getByKey(`key-${String(n)}`))?.bytes).to.have.length(20_000)
    }
    expect(await messages.getByKey('key--1')).not.to.equal(undefined)
    for (const cid of blocks) expect(await blockstore.has(cid)).to.equal(true)
  })

  it('opens the database anew after a write failed for another reason, and is not well before', async () => {
    free = 1_000
    const fault = new Error('IO error: Input/output error')
    let isBroken = false
    db = await openStore(dataDir)
    const write = db.batch.bind(db) as (...args: unknown[]) => Promise<void>
    Object.defineProperty(db, 'batch', {
      configurable: true,
      value: async (...args: unknown[]) => {
        if (isBroken) throw Object.assign(fault, { code: 'LEVEL_IO_ERROR' })
        await write(...args)
      }
    })
    disk = createDisk(
      { db, log, freeBytes: async () => Promise.resolve(free ?? 0) },
      { path: dataDir, everyMs: 20, reserveBytes: 100 }
    )
    await disk.start()
    blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks'), disk })
    await blockstore.start()
    messages = createMessageLog({ db, disk })
    await append(1)
    isBroken = true
    // A write of another part, which has no watch of its own.
    await openTable(db, 'accept')
      .put('key', utf8('value'))
      .catch(() => undefined)
    await openTable(db, 'accept')
      .batch([{ type: 'put', key: 'key', value: utf8('value') }])
      .catch(() => undefined)
    expect([disk.status().state, disk.status().failure]).to.deep.equal(['failed', 'error'])
    await expectCode('STORE_WRITE_FAILED', async () => append(2))
    expect(await messages.head()).to.equal(1)
    isBroken = false
    await until('it is well', () => disk.status().state === 'ok')
    expect(await append(2)).to.equal(2)
  })

  it('tells a full disk from a broken one', () => {
    const broken = Object.assign(new Error('x'), { code: 'EIO' })
    const quota = new Error('x', { cause: Object.assign(new Error('y'), { code: 'EDQUOT' }) })
    expect([failedWrite(quota).code, failedWrite(broken).code]).to.deep.equal(['STORE_FULL', 'STORE_WRITE_FAILED'])
    expect(isNoSpace(new Error('IO error: No space left on device'))).to.equal(true)
    expect(isNoSpace(undefined)).to.equal(false)
  })
})
