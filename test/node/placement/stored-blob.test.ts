import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as dagPb from '@ipld/dag-pb'
import { expect } from 'chai'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { isWhole } from '#node/placement/stored-blob.ts'
import { createBlockstore } from '#node/store/blocks.ts'
import { openDatabase } from '#node/store/database.ts'

describe('a blob in the store', () => {
  it('is not walked for ever where its tree has nodes without end and no leaf', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'salus-tree-'))
    const db = await openDatabase(join(directory, 'db'))
    const blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
    await blockstore.start()
    try {
      // Eight levels with a thousand links each: more steps than any machine makes.
      let child: CID | undefined
      for (let level = 0; level < 8; level++) {
        const links = child == null ? [] : Array.from({ length: 1_000 }, () => child)
        const file = new UnixFS({ type: 'file', blockSizes: links.map(() => 0n) })
        const node = dagPb.prepare({ Data: file.marshal(), Links: links.map(Hash => ({ Hash, Name: '', Tsize: 0 })) })
        const bytes = dagPb.encode(node)
        child = CID.createV1(dagPb.code, await sha256.digest(bytes))
        await blockstore.put(child, bytes)
      }
      // Whatever size somebody says it has: who asks for a proof may say any.
      for (const sizeBytes of [0, 1_000, 2 ** 40, 2 ** 53 - 1]) {
        expect(await isWhole(blockstore, child ?? expect.fail(), sizeBytes)).to.equal(false)
      }
    } finally {
      await blockstore.stop()
      await db.close()
      await rm(directory, { recursive: true })
    }
  })
})
