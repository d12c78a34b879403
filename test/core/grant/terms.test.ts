import { expect } from 'chai'
import fc from 'fast-check'
import { toHex } from '#core/encoding/bytes.ts'
import { NO_EXPIRY, packTerms, termsBytes, unpackTerms } from '#core/grant/terms.ts'
import { expectCode } from '#test/error-code.ts'

const terms = fc.record({
  grantee: fc.uint8Array({ minLength: 20, maxLength: 20 }),
  notBefore: fc.integer({ min: 0, max: NO_EXPIRY }),
  expiresAt: fc.integer({ min: 0, max: NO_EXPIRY }),
  rights: fc.integer({ min: 0, max: 255 }),
  uses: fc.integer({ min: 0, max: 255 })
})

describe('the terms of a grant', () => {
  it('unpack to what was packed, also from their 32 bytes', () => {
    fc.assert(
      fc.property(terms, each => {
        const packed = packTerms(each)
        expect(unpackTerms(packed)).to.deep.equal(each)
        expect(BigInt(toHex(termsBytes(packed)))).to.equal(packed)
      })
    )
  })

  it('lie where the contract looks for them', () => {
    const packed = packTerms({ grantee: new Uint8Array(20).fill(0xaa), notBefore: 1, expiresAt: 2, rights: 3, uses: 4 })
    expect(packed.toString(16).padStart(64, '0')).to.equal(`040300000000020000000001${'aa'.repeat(20)}`)
  })

  it('are refused where a field does not fit', async () => {
    const valid = { grantee: new Uint8Array(20), notBefore: 1, expiresAt: 2, rights: 3, uses: 4 }
    for (const change of [
      { grantee: new Uint8Array(19) },
      { notBefore: 2 ** 40 },
      { expiresAt: -1 },
      { rights: 256 },
      { uses: 0.5 }
    ]) {
      await expectCode('TERMS_RANGE', () => packTerms({ ...valid, ...change }))
    }
    await expectCode('TERMS_RANGE', () => unpackTerms(2n ** 256n))
    await expectCode('TERMS_RANGE', () => unpackTerms(-1n))
  })
})
