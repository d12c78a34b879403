import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as dagPb from '@ipld/dag-pb'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { blocksOf } from '#node/firmware/image-blocks.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openDatabase, type Database } from '#node/store/database.ts'

describe('the blocks of an image', () => {
  let directory: string
  let db: Database
  let store: DiskBlockstore

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-image-blocks-'))
    db = await openDatabase(join(directory, 'db'))
    store = createBlockstore({ db, directory: join(directory, 'blocks') })
    await store.start()
  })
  afterEach(async () => {
    await store.stop()
    await db.close()
    await rm(directory, { recursive: true })
  })

  async function put(bytes: Uint8Array, code: number): Promise<CID> {
    return await store.put(CID.createV1(code, await sha256.digest(bytes)), bytes)
  }

  async function node(links: readonly CID[]): Promise<CID> {
    return await put(dagPb.encode(dagPb.prepare({ Links: [...links] })), dagPb.code)
  }

  async function walk(root: CID, maxBlocks?: number): Promise<CID[]> {
    const found: CID[] = []
    for await (const cid of blocksOf(store, root, maxBlocks)) {
      found.push(cid)
      expect(found.length).to.be.below(1000)
    }
    return found
  }

  it('are each given once, however often they are linked', async () => {
    const leaf = await put(Uint8Array.of(1), raw.code)
    let root = leaf
    for (let depth = 0; depth < 3; depth++) root = await node(Array<CID>(100).fill(root))
    const found = await walk(root)
    expect(found).to.have.length(4)
    expect(found[0]).to.deep.equal(root)
    await store.deleteAll(found.reverse())
    for (const cid of found) expect(await store.has(cid)).to.equal(false)
  })

  it('are at most as many as allowed', async () => {
    const leaves = await Promise.all(Array.from({ length: 20 }, async (_, i) => put(Uint8Array.of(i), raw.code)))
    expect(await walk(await node(leaves), 8)).to.have.length(8)
  })

  it('are found past what is missing or no node', async () => {
    const leaf = await put(Uint8Array.of(1), raw.code)
    const broken = await put(Uint8Array.of(0xff, 0xff), dagPb.code)
    const missing = CID.createV1(raw.code, await sha256.digest(Uint8Array.of(2)))
    const root = await node([broken, missing, leaf])
    expect(await walk(root)).to.have.deep.members([root, broken, leaf])
  })
})
