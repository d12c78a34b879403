import { unixfs } from '@helia/unixfs'
import { MemoryBlockstore } from 'blockstore-core'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { LEAF_BYTES, blobBlocks, blobCid } from '#core/record/blob-cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'

describe('the name of a blob', () => {
  it('is the one that Helia’s importer gives, and the blocks are the ones it stores', async () => {
    for (const length of [0, 1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 3 * LEAF_BYTES, 5 * LEAF_BYTES + 17]) {
      const blob = new Uint8Array(length).fill(length & 0xff)
      const blockstore = new MemoryBlockstore()
      const helia = await unixfs({ blockstore }).addBytes(blob)
      expect(blobCid(p, blob).toString()).to.equal(helia.toString())
      for (const { cid } of blobBlocks(p, blob)) expect(await blockstore.has(CID.parse(String(cid)))).to.equal(true)
    }
  })

  it('is one raw block up to 1 MiB, and a tree above', () => {
    expect([...blobBlocks(p, new Uint8Array(LEAF_BYTES))].map(({ cid }) => cid.code)).to.deep.equal([0x55])
    expect([...blobBlocks(p, new Uint8Array(LEAF_BYTES + 1))].map(({ cid }) => cid.code)).to.deep.equal([
      0x55, 0x55, 0x70
    ])
  })
})
