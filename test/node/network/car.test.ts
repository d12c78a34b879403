import * as dagPb from '@ipld/dag-pb'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { cidOfDigest, DAG_PB_CODEC, RAW_CODEC } from '#core/record/cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { carOf } from '#node/network/car.ts'
import { expectCode } from '#test/error-code.ts'

describe('CAR files', () => {
  it('end where a tree has more parts than a file may have, before any memory does', async () => {
    const links = Array.from({ length: 100 }, (_, i) => cidOfDigest(RAW_CODEC, p.sha256(Uint8Array.of(i))))
    const bytes = dagPb.encode(dagPb.prepare({ Links: links.map(Hash => ({ Hash, Name: '', Tsize: 0 })) }))
    const root = cidOfDigest(DAG_PB_CODEC, p.sha256(bytes))
    const read = async (cid: CID): Promise<Uint8Array> => Promise.resolve(cid.equals(root) ? bytes : Uint8Array.of(1))
    const partsOf = async (maxBlocks: number): Promise<number> => {
      let parts = 0
      const car = carOf(read, root, { deep: true, maxBytes: 1 << 20, maxBlocks })
      while ((await car.next()).done !== true) parts++
      return parts
    }
    expect(await partsOf(101)).to.equal(102)
    await expectCode('FETCH_MALFORMED', async () => partsOf(100))
  })
})
