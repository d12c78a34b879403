import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobBlocks } from '#core/record/blob-cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openHeld } from '#node/placement/held.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { blobOf, blocksOfBlob } from '#test/node/placement/network.ts'

describe('which blobs are here', () => {
  let directory: string
  let db: Database
  let blockstore: DiskBlockstore

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-held-'))
    db = await openDatabase(join(directory, 'db'))
    blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
    await blockstore.start()
  })
  afterEach(async () => {
    await blockstore.stop()
    await db.close()
    await rm(directory, { recursive: true })
  })

  it('is known by what is on the disk, in the size that it has', async () => {
    for (const size of [1_000, 3 << 20]) {
      const { cid, bytes } = blobOf(size)
      const held = openHeld({ db, blockstore })
      expect(await held.holding({ cid, sizeBytes: size })).to.equal('lacking')
      for (const block of blobBlocks(p, bytes)) await blockstore.put(block.cid, block.bytes)
      expect(await held.holding({ cid, sizeBytes: 2 ** 40 })).to.equal('other')
      expect(await held.holding({ cid, sizeBytes: size })).to.equal('whole')
    }
  })

  it('is counted once, whoever comes upon it first', async () => {
    const { cid, bytes } = blobOf(2 << 20)
    const blob = { cid, sizeBytes: bytes.length }
    const held = openHeld({ db, blockstore })
    expect(await held.arrived(blob)).to.equal(false)
    for (const block of blobBlocks(p, bytes)) await blockstore.put(block.cid, block.bytes)
    expect(await Promise.all([held.arrived(blob), held.arrived(blob)])).to.deep.equal([true, false])
    await held.forget(cid)
    expect(await held.holding(blob)).to.equal('whole')
    expect(await held.arrived(blob)).to.equal(false)
    await held.forget(cid)
    expect(await held.arrived(blob)).to.equal(true)
  })

  it('is not known of a tree of which only a part is here, nor by the word of an earlier process', async () => {
    const blob = blobOf(3 << 20)
    const asked = { cid: blob.cid, sizeBytes: blob.bytes.length }
    for (const block of blobBlocks(p, blob.bytes)) await blockstore.put(block.cid, block.bytes)
    expect(await openHeld({ db, blockstore }).holding(asked)).to.equal('whole')
    const [leaf] = blocksOfBlob(blob)
    if (leaf != null) await blockstore.delete(leaf)
    const held = openHeld({ db, blockstore })
    expect(await held.holding(asked)).to.equal('lacking')
    for (const block of blobBlocks(p, blob.bytes)) await blockstore.put(block.cid, block.bytes)
    expect(await held.holding(asked)).to.equal('whole')
    // An audit that meets the gap has it looked at anew.
    if (leaf != null) await blockstore.delete(leaf)
    await held.forget(blob.cid)
    expect(await held.holding(asked)).to.equal('lacking')
  })
})
