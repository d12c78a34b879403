import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import toBuffer from 'it-to-buffer'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as dagPb from '@ipld/dag-pb'
import { sha256 } from 'multiformats/hashes/sha2'
import { createBlockstore, MAX_SMALL_BLOCK_BYTES, type DiskBlockstore } from '#node/store/blocks.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { expectCode } from '#test/error-code.ts'

async function block(sizeBytes: number): Promise<{ cid: CID; bytes: Uint8Array }> {
  const bytes = new Uint8Array(randomBytes(sizeBytes))
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

describe('block store', () => {
  let directory: string
  let db: Database
  let store: DiskBlockstore

  async function open(): Promise<void> {
    db = await openDatabase(join(directory, 'db'))
    store = createBlockstore({ db, directory: join(directory, 'blocks') })
    await store.start()
  }
  async function close(): Promise<void> {
    await store.stop()
    await db.close()
  }
  const read = async (cid: CID): Promise<Uint8Array> => await toBuffer(store.get(cid))
  /** Files of large blocks, by path. */
  async function files(): Promise<string[]> {
    const entries = await readdir(join(directory, 'blocks'), { recursive: true, withFileTypes: true })
    return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-blocks-'))
    await open()
  })
  afterEach(async () => {
    await close()
    await rm(directory, { recursive: true })
  })

  for (const [where, sizeBytes] of [
    ['in the database', MAX_SMALL_BLOCK_BYTES],
    ['as a file', MAX_SMALL_BLOCK_BYTES + 1]
  ] as const) {
    it(`keeps a block ${where}, over restarts, until it is deleted`, async () => {
      const { cid, bytes } = await block(sizeBytes)
      expect(await store.has(cid)).to.equal(false)
      await store.put(cid, bytes)
      expect(await files()).to.have.length(sizeBytes > MAX_SMALL_BLOCK_BYTES ? 1 : 0)
      await close()
      await open()
      expect(await store.has(cid)).to.equal(true)
      expect(Buffer.from(await read(cid)).equals(bytes)).to.equal(true)
      await store.delete(cid)
      expect(await store.has(cid)).to.equal(false)
      let missing: unknown
      await read(cid).catch((error: unknown) => (missing = error))
      expect(missing).to.have.property('name', 'NotFoundError')
    })
  }

  it('finds a block under every codec, for its name is the multihash', async () => {
    const { cid, bytes } = await block(MAX_SMALL_BLOCK_BYTES + 1)
    await store.put(cid, bytes)
    expect(await store.has(CID.createV1(dagPb.code, cid.multihash))).to.equal(true)
    expect(await store.has(CID.createV0(cid.multihash as Parameters<typeof CID.createV0>[0]))).to.equal(true)
  })

  it('walks over all blocks', async () => {
    const blocks = await Promise.all([10, 1000, 100_000, 200_000].map(block))
    for (const { cid, bytes } of blocks) await store.put(cid, bytes)
    const found: string[] = []
    for await (const { cid } of store.getAll()) found.push(cid.toString())
    expect(found).to.have.members(blocks.map(({ cid }) => cid.toString()))
  })

  it('hands out no block that was damaged on the disk, and takes another copy of it', async () => {
    const { cid, bytes } = await block(100_000)
    await store.put(cid, bytes)
    const [file = ''] = await files()
    const damaged = await readFile(file)
    damaged[50_000] = (damaged[50_000] ?? 0) ^ 1
    await writeFile(file, damaged)
    await expectCode('BLOCK_DAMAGED', () => read(cid))
    expect(await store.has(cid)).to.equal(false)
    expect(await read(cid).catch((error: unknown) => error)).to.have.property('name', 'NotFoundError')
    await store.put(cid, bytes)
    expect(Buffer.from(await read(cid)).equals(bytes)).to.equal(true)
  })

  it('hands out no damaged block of the database either', async () => {
    const { cid, bytes } = await block(100)
    await store.put(cid, bytes)
    const table = openTable(db, 'blocks')
    const [name = ''] = await table.keys().all()
    await table.put(name, new Uint8Array(100))
    await expectCode('BLOCK_DAMAGED', () => read(cid))
    expect(await store.has(cid)).to.equal(false)
    await store.delete(cid)
    expect(store.damaged()).to.deep.equal([])
    await store.put(cid, bytes)
    expect(Buffer.from(await read(cid)).equals(bytes)).to.equal(true)
  })

  it('deletes what a crash left half-written', async () => {
    const { cid, bytes } = await block(100_000)
    await store.put(cid, bytes)
    const [file = ''] = await files()
    await writeFile(`${file}.1.1.tmp`, bytes.subarray(0, 10))
    await close()
    await open()
    expect(await files()).to.deep.equal([file])
  })

  it('takes the same block from several writers at once', async () => {
    const { cid, bytes } = await block(100_000)
    await Promise.all(Array.from({ length: 8 }, () => store.put(cid, bytes)))
    expect(await files()).to.have.length(1)
    expect(Buffer.from(await read(cid)).equals(bytes)).to.equal(true)
  })
})
