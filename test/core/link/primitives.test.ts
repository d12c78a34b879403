import { expect } from 'chai'
import fc from 'fast-check'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { portableLinkPrimitives } from '#core/link/portable.ts'
import { nativeLinkPrimitives } from '#gateway/link/native.ts'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 })
const bytes = fc.uint8Array({ maxLength: 300 })

for (const [name, p] of [
  ['portable', portableLinkPrimitives],
  ['native', nativeLinkPrimitives]
] as const) {
  describe(`the ${name} primitives of a link`, () => {
    it('agree on keys as RFC 7748 section 6.1 says', () => {
      const a = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
      const bobs = fromHex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
      expect(toHex(p.x25519PublicKey(a))).to.equal('0x8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
      expect(toHex(p.x25519(a, bobs) ?? a)).to.equal(
        '0x4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'
      )
    })

    it('agree with themselves: both sides of an exchange get the same', () => {
      fc.assert(
        fc.property(key, key, (a, b) => {
          expect(p.x25519(a, p.x25519PublicKey(b))).to.deep.equal(p.x25519(b, p.x25519PublicKey(a)))
        }),
        { numRuns: 20 }
      )
    })

    it('give no shared secret for keys of small order', () => {
      for (const small of ['00'.repeat(32), '01' + '00'.repeat(31), 'ed' + 'ff'.repeat(30) + '7f']) {
        expect(p.x25519(new Uint8Array(32).fill(7), fromHex(small))).to.equal(undefined)
      }
    })

    it('open nothing that was changed, cut, or sealed with other data', () => {
      const aead = p.aead(new Uint8Array(32).fill(3))
      const sealed = aead.seal(new Uint8Array(12), utf8('text'), utf8('aad'))
      expect(aead.open(new Uint8Array(12), sealed, utf8('aad'))).to.deep.equal(utf8('text'))
      expect(aead.open(new Uint8Array(12), sealed, utf8('aae'))).to.equal(undefined)
      expect(aead.open(new Uint8Array(12).fill(1), sealed, utf8('aad'))).to.equal(undefined)
      for (let length = 0; length < sealed.length; length++)
        expect(aead.open(new Uint8Array(12), sealed.slice(0, length), utf8('aad'))).to.equal(undefined)
    })
  })
}

describe('the primitives of a link', () => {
  it('do the same, whichever implementation runs', () => {
    fc.assert(
      fc.property(key, nonce, bytes, bytes, (secret, iv, plaintext, aad) => {
        const native = nativeLinkPrimitives.aead(secret).seal(iv, plaintext, aad)
        expect(toHex(native)).to.equal(toHex(portableLinkPrimitives.aead(secret).seal(iv, plaintext, aad)))
        expect(toHex(nativeLinkPrimitives.x25519PublicKey(secret))).to.equal(
          toHex(portableLinkPrimitives.x25519PublicKey(secret))
        )
      }),
      { numRuns: 50 }
    )
  })
})
