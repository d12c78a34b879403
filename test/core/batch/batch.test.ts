import { expect } from 'chai'
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { concat, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { batchTree, decodeBatch, leafIndex, leafParts, MAX_BATCH_BYTES } from '#core/batch/batch.ts'
import { requireNext } from '#core/batch/chain.ts'
import { readingLeaf } from '#core/batch/leaf.ts'
import { verifyInclusion } from '#core/batch/merkle.ts'
import { inclusionProof } from '#core/batch/tree.ts'
import { expectCode } from '#test/error-code.ts'
import { AUTHOR, bytes32, SIGN_KEY, someBatches, someReadings } from '#test/core/batch/fixtures.ts'

const edited = (bytes: Uint8Array, change: (map: Record<string, unknown>) => void): Uint8Array => {
  const map = decodeCanonical(bytes, { area: 'TEST', maxBytes: MAX_BATCH_BYTES }) as Record<string, unknown>
  change(map)
  return encodeCanonical(map)
}

const decode = (bytes: Uint8Array): ReturnType<typeof decodeBatch> => decodeBatch(p, bytes, SIGN_KEY)

describe('batch', () => {
  const { built, tree } = someBatches([5, 0, 9])
  const [first, silent, last] = built

  it('comes back from its bytes with the readings, stream by stream', () => {
    const { header, readings } = decode(first!.bytes)
    expect(header).to.deep.equal(first!.batch.header)
    const pulse = someReadings(5).filter(r => r.stream.mdc === 147842)
    const saturation = someReadings(5).filter(r => r.stream.mdc !== 147842)
    expect(readings).to.deep.equal([...pulse, ...saturation])
  })

  it('is the same bytes with either implementation of the primitives', () => {
    expect(decodeBatch(nativePrimitives, last!.bytes, SIGN_KEY)).to.deep.equal(decode(last!.bytes))
  })

  it('proves silence: an empty batch is signed, numbered and grows the tree', () => {
    const { header } = decode(silent!.bytes)
    expect([header.count, header.sequence, header.treeTo - header.treeFrom]).to.deep.equal([0, 2, 1])
    expect(toHex(header.root)).to.not.equal(toHex(first!.batch.header.root))
  })

  it('lets its holder prove each reading without the batches before', () => {
    const batch = decode(last!.bytes)
    const partial = batchTree(p, batch)
    for (const position of batch.readings.keys()) {
      const index = leafIndex(batch.header, position)
      const { reading: bytes, salt } = leafParts(p, batch, position)
      const leaf = readingLeaf(p, bytes, salt)
      const path = inclusionProof(p, partial, index)
      expect(verifyInclusion(p, { leaf, index, size: tree.size, path, root: batch.header.root })).to.equal(true)
    }
  })

  it('refuses each kind of damage with its own code', async () => {
    const { bytes } = first!
    await expectCode('BATCH_TRUNCATED', () => decode(bytes.subarray(0, -1)))
    await expectCode('BATCH_TRAILING', () => decode(concat(bytes, Uint8Array.of(0))))
    await expectCode('BATCH_OVERSIZE', () => decode(new Uint8Array(MAX_BATCH_BYTES + 1)))
    await expectCode('BATCH_VERSION', () => decode(edited(bytes, map => (map['v'] = 3))))
    await expectCode('BATCH_SHAPE', () => decode(edited(bytes, map => (map['v'] = 2))))
    await expectCode('BATCH_SHAPE', () =>
      decode(edited(bytes, map => Object.assign(map, { v: 2, records: { items: [], runs: [] } })))
    )
    await expectCode('BATCH_SHAPE', () => decode(edited(bytes, map => (map['more'] = 1))))
    await expectCode('BATCH_NETWORK', () => decodeBatch(p, bytes, SIGN_KEY, { network: bytes32(9) }))
    await expectCode('BATCH_PATIENT', () => decodeBatch(p, bytes, SIGN_KEY, { patient: bytes32(9) }))
    await expectCode('BATCH_GATEWAY', () => decodeBatch(p, bytes, SIGN_KEY, { gateway: bytes32(9) }))
    await expectCode('BATCH_SIGNATURE', () => decodeBatch(p, bytes, p.ed25519PublicKey(bytes32(9))))
    // {v: 1, v: 1}
    const duplicate = Uint8Array.of(0xa2, 0x61, 0x76, 0x01, 0x61, 0x76, 0x01)
    await expectCode('BATCH_DUPLICATE_KEY', () => decode(duplicate))
  })

  it('shows that a reading was left out, repeated, exchanged or moved', async () => {
    const streams = (map: Record<string, unknown>): Record<string, unknown>[] =>
      map['streams'] as Record<string, unknown>[]
    await expectCode('BATCH_COUNT', () => decode(edited(first!.bytes, map => streams(map).pop())))
    await expectCode('BATCH_COUNT', () => decode(edited(first!.bytes, map => streams(map).push(streams(map)[0]!))))
    await expectCode('BATCH_ROOT', () => decode(edited(first!.bytes, map => streams(map).reverse())))
    await expectCode('BATCH_ROOT', () => decode(edited(first!.bytes, map => (map['secret'] = bytes32(9)))))
    await expectCode('BATCH_ROOT', () => decode(edited(first!.bytes, map => (streams(map)[0]!['mdc'] = 1))))
    await expectCode('MERKLE_RANGE', () => decode(edited(last!.bytes, map => (map['peaks'] = []))))
  })
})

describe('chain of batches', () => {
  const headers = someBatches([3, 3, 0, 3]).built.map(({ batch }) => batch.signed.bytes)
  const [one, two, three, four] = headers as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const follow = (previous: Uint8Array | null, next: Uint8Array): unknown => requireNext(p, previous, next)

  it('accepts batches that follow each other', () => {
    let previous: Uint8Array | null = null
    for (const header of headers) {
      requireNext(p, previous, header)
      previous = header
    }
  })

  it('names removal, reorder, duplicate, equivocation, cross-gateway, rollback and fork', async () => {
    const headersOf = (seconds: number[], author = AUTHOR): Uint8Array[] =>
      someBatches(seconds, author).built.map(({ batch }) => batch.signed.bytes)
    await expectCode('BATCH_MISSING', () => follow(null, two))
    await expectCode('BATCH_MISSING', () => follow(one, three))
    await expectCode('BATCH_ORDER', () => follow(four, three))
    await expectCode('BATCH_DUPLICATE', () => follow(two, two))
    await expectCode('BATCH_EQUIVOCATION', () => follow(two, headersOf([3, 4])[1]!))
    await expectCode('BATCH_GATEWAY', () => follow(one, headersOf([3, 3], { ...AUTHOR, gateway: bytes32(9) })[1]!))
    await expectCode('BATCH_GATEWAY', () => follow(one, headersOf([3, 3], { ...AUTHOR, patient: bytes32(9) })[1]!))
    await expectCode('BATCH_ROLLBACK', () => follow(two, headersOf([2, 2, 3])[2]!))
    // As long as the true history, but another one.
    const fork = someBatches([3, 3, 0], { ...AUTHOR, certificate: bytes32(9) }).built[2]!.batch.signed.bytes
    await expectCode('BATCH_FORK', () => follow(two, fork))
  })
})
