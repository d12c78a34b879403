import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { portablePrimitives } from '#core/crypto/portable.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { mutations } from '#test/mutations.ts'

const { Point } = ed25519
const GROUP_ORDER = Point.Fn.ORDER
const bytes = fc.uint8Array({ maxLength: 300 })
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 })

/** A number as 32 bytes, little-endian. */
function scalarBytes(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).reverse()
}

function littleEndian(value: Uint8Array): bigint {
  return BigInt(toHex(value.slice().reverse()))
}

for (const [name, p] of [
  ['portable', portablePrimitives],
  ['native', nativePrimitives]
] as const) {
  describe(`the ${name} primitives`, () => {
    it('hash as FIPS 180-4 says', () => {
      expect(toHex(p.sha256(utf8('abc')))).to.equal(
        '0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
      )
    })

    it('authenticate as RFC 4231 says (test case 2)', () => {
      const data = utf8('what do ya want for nothing?')
      expect(toHex(p.hmacSha256(utf8('Jefe'), data))).to.equal(
        '0x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
      )
      expect(toHex(p.hmacSha512(utf8('Jefe'), data))).to.equal(
        '0x164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737'
      )
    })

    it('derive as RFC 5869 says (test case 1)', () => {
      const okm = p.hkdfSha256(
        new Uint8Array(22).fill(0x0b),
        fromHex('000102030405060708090a0b0c'),
        fromHex('f0f1f2f3f4f5f6f7f8f9'),
        42
      )
      expect(toHex(okm)).to.equal(
        '0x3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'
      )
    })

    it('encrypt as the GCM specification says (test case 16)', () => {
      const gcmKey = fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308')
      const plaintext = fromHex(
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
      )
      const aad = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
      const sealed = p.aes256GcmSeal(gcmKey, fromHex('cafebabefacedbaddecaf888'), plaintext, aad)
      expect(toHex(sealed)).to.equal(
        '0x522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b'
      )
      expect(p.aes256GcmOpen(gcmKey, fromHex('cafebabefacedbaddecaf888'), sealed, aad)).to.deep.equal(plaintext)
    })

    it('open nothing that was changed, cut, or sealed with other data', () => {
      const sealed = p.aes256GcmSeal(new Uint8Array(32), new Uint8Array(12), utf8('text'), utf8('aad'))
      const open = (ciphertext: Uint8Array, aad?: Uint8Array): unknown =>
        p.aes256GcmOpen(new Uint8Array(32), new Uint8Array(12), ciphertext, aad)
      expect(open(sealed, utf8('aad'))).to.deep.equal(utf8('text'))
      expect(open(sealed)).to.equal(undefined)
      for (let length = 0; length < sealed.length; length++)
        expect(open(sealed.slice(0, length), utf8('aad'))).to.equal(undefined)
    })

    it('sign as RFC 8032 says (test 2)', () => {
      const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
      const publicKey = p.ed25519PublicKey(seed)
      expect(toHex(publicKey)).to.equal('0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
      const signature = p.ed25519Sign(seed, Uint8Array.of(0x72))
      expect(toHex(signature)).to.equal(
        '0x92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
      )
      expect(p.ed25519Verify(publicKey, Uint8Array.of(0x72), signature)).to.equal(true)
      expect(p.ed25519Verify(publicKey, Uint8Array.of(0x73), signature)).to.equal(false)
    })

    it('refuse keys of small order and encodings that are not canonical', () => {
      const message = utf8('message')
      for (const torsion of ED25519_TORSION_SUBGROUP) {
        const publicKey = fromHex(torsion)
        expect(p.ed25519Verify(publicKey, message, concat(publicKey, new Uint8Array(32)))).to.equal(false)
      }
      const notCanonical = scalarBytes(2n ** 255n - 19n + 1n)
      expect(p.ed25519Verify(notCanonical, message, concat(notCanonical, new Uint8Array(32)))).to.equal(false)
    })

    it('refuse the second signature that adding the group order makes', () => {
      const seed = new Uint8Array(32).fill(3)
      const signature = p.ed25519Sign(seed, utf8('m'))
      const second = concat(signature.slice(0, 32), scalarBytes(littleEndian(signature.slice(32)) + GROUP_ORDER))
      expect(p.ed25519Verify(p.ed25519PublicKey(seed), utf8('m'), second)).to.equal(false)
    })

    it('judge malformed keys and signatures false, without an exception', () => {
      for (const length of [0, 31, 33]) {
        expect(p.ed25519Verify(new Uint8Array(length), utf8('m'), new Uint8Array(64))).to.equal(false)
        expect(p.ed25519Verify(new Uint8Array(32).fill(9), utf8('m'), new Uint8Array(2 * length))).to.equal(false)
      }
      expect(p.ed25519Verify(new Uint8Array(32).fill(0x22), utf8('m'), new Uint8Array(64))).to.equal(false)
    })
  })
}

describe('the portable and the native primitives', () => {
  const both = (run: (p: Primitives) => unknown): void => {
    expect(run(nativePrimitives)).to.deep.equal(run(portablePrimitives))
  }

  it('give the same results', () => {
    fc.assert(
      fc.property(key, nonce, bytes, bytes, fc.integer({ min: 1, max: 200 }), (k, n, a, b, length) => {
        both(p => p.sha256(a))
        both(p => p.hmacSha256(a, b))
        both(p => p.hmacSha512(a, b))
        both(p => p.hkdfSha256(k, a, b, length))
        both(p => p.aes256GcmSeal(k, n, a, b))
        both(p => p.aes256GcmOpen(k, n, a, b))
        both(p => p.ed25519PublicKey(k))
        both(p => p.ed25519Sign(k, a))
      }),
      { numRuns: 30 }
    )
  })

  it('authenticate alike around every length at which the native ones go another way', () => {
    for (const keyBytes of [0, 1, 32, 63, 64, 65, 200]) {
      for (const dataBytes of [0, 1, 1023, 1024, 1025, 5000]) {
        both(p => p.hmacSha256(new Uint8Array(keyBytes).fill(7), new Uint8Array(dataBytes).fill(9)))
      }
    }
  })

  it('agree about altered signatures and keys', () => {
    const seed = new Uint8Array(32).fill(5)
    const message = utf8('m')
    const publicKey = nativePrimitives.ed25519PublicKey(seed)
    const signature = nativePrimitives.ed25519Sign(seed, message)
    for (const altered of mutations(signature, { seed: 'signature', count: 100 })) {
      both(p => p.ed25519Verify(publicKey, message, altered))
    }
    for (const altered of mutations(publicKey, { seed: 'key', count: 100 })) {
      both(p => p.ed25519Verify(altered, message, signature))
    }
  })

  it('tell keys apart however many there are, again and again', () => {
    const message = utf8('m')
    const signed = Array.from({ length: 300 }, (_, i) => {
      const seed = new Uint8Array(32).fill(i & 255, 0, 31).fill(i >> 8, 31)
      const p = nativePrimitives
      return { publicKey: p.ed25519PublicKey(seed), signature: p.ed25519Sign(seed, message) }
    })
    for (const shift of [0, 1, 299, 0]) {
      for (const [i, { publicKey }] of signed.entries()) {
        const signature = signed[(i + shift) % signed.length]?.signature ?? new Uint8Array()
        expect(nativePrimitives.ed25519Verify(publicKey, message, signature)).to.equal(shift === 0)
      }
    }
  })

  it('agree about keys with a part of small order, where only a multiplied check would pass', () => {
    const secret = 123_456_789n
    const torsion = Point.fromHex(ED25519_TORSION_SUBGROUP[1] ?? '')
    const publicKey = Point.BASE.multiply(secret).add(torsion).toBytes()
    const verdicts = new Set<boolean>()
    for (let i = 1; i <= 24; i++) {
      const message = Uint8Array.of(i)
      const r = Point.BASE.multiply(BigInt(i)).toBytes()
      const challenge = littleEndian(sha512(concat(r, publicKey, message))) % GROUP_ORDER
      const signature = concat(r, scalarBytes((BigInt(i) + challenge * secret) % GROUP_ORDER))
      both(p => p.ed25519Verify(publicKey, message, signature))
      verdicts.add(nativePrimitives.ed25519Verify(publicKey, message, signature))
    }
    expect(verdicts).to.include(false)
  })

  it('give the same from the bulk cipher as from single calls', () => {
    const { bulk } = nativePrimitives
    const prepared = bulk?.prepareKey(new Uint8Array(32))
    const out = new Uint8Array(40)
    prepared?.sealInto(new Uint8Array(12), utf8('text'), out, 5)
    const single = portablePrimitives.aes256GcmSeal(new Uint8Array(32), new Uint8Array(12), utf8('text'))
    expect(out.slice(5, 25)).to.deep.equal(single)
    const opened = new Uint8Array(6)
    expect(prepared?.openInto(new Uint8Array(12), single, opened, 1)).to.equal(true)
    expect(opened).to.deep.equal(concat(Uint8Array.of(0), utf8('text'), Uint8Array.of(0)))
    expect(prepared?.openInto(new Uint8Array(12), single.fill(0, 0, 1), opened, 1)).to.equal(false)
    expect(bulk?.allocate(7).length).to.equal(7)
  })
})
