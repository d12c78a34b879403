import { expect } from 'chai'
import fc from 'fast-check'
import { deflateSync } from 'fflate'
import { concat } from '#core/encoding/bytes.ts'
import { compress, decompress } from '#core/record/compression.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'
import { seededRandom } from '#test/seeded-random.ts'

describe('compression', () => {
  it('comes off again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), data => {
        expect(decompress(compress(data), 2000)).to.deep.equal(data)
      })
    )
  })

  it('shrinks what repeats and leaves alone what does not', () => {
    const repeating = new Uint8Array(100_000).fill(65)
    expect(compress(repeating).length).to.be.below(1000)
    expect(decompress(compress(repeating), 100_000)).to.have.length(100_000)
    const noise = seededRandom('noise')(100_000)
    expect(compress(noise).length).to.equal(100_001)
  })

  it('stops a small thing from becoming a huge one', async () => {
    const bomb = concat(Uint8Array.of(1), deflateSync(new Uint8Array(50_000_000), { level: 9 }))
    expect(bomb.length).to.be.below(60_000)
    await expectCode('CONTENT_OVERSIZE', () => decompress(bomb, 1_000_000))
    await expectCode('CONTENT_OVERSIZE', () => decompress(compress(seededRandom('n')(100)), 99))
  })

  it('refuses unknown methods and streams that are cut or damaged', async () => {
    await expectCode('CONTENT_COMPRESSION', () => decompress(Uint8Array.of(2, 0), 10))
    await expectCode('CONTENT_COMPRESSION', () => decompress(new Uint8Array(0), 10))
    await expectCode('CONTENT_COMPRESSION', () => decompress(Uint8Array.of(1), 10))
    const packed = compress(new Uint8Array(20_000).map((_, i) => i % 251))
    await expectCode('CONTENT_COMPRESSION', () => decompress(packed.slice(0, -20), 20_000))
    await expectCode('CONTENT_COMPRESSION', () => decompress(Uint8Array.of(1, 0xff, 0xff), 10))
  })

  it('fails on no mutation but with a code', async () => {
    const packed = compress(new Uint8Array(5000).map((_, i) => i % 100))
    await survivesMutations(packed, { seed: 'deflate', count: 3000 }, bytes => decompress(bytes, 100_000))
  })
})
