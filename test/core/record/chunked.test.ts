import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { equalBytes, fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import {
  C2SP_CHUNK_BYTES,
  openChunked,
  openRange,
  plaintextLength,
  sealChunked,
  sealedLength
} from '#core/record/chunked.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'
import { seededRandom } from '#test/seeded-random.ts'

interface Cobblestone {
  readonly scheme: string
  readonly key: string
  readonly salt: string
  readonly context: string
  readonly plaintextLen: number
  readonly plaintextSeed: string
  readonly ciphertextSha256: string
}

/** As the vectors' note says: h = SHA256(seed), then h = SHA256(h), concatenated. */
function plaintextOf({ plaintextSeed, plaintextLen }: Cobblestone): Uint8Array {
  const out = new Uint8Array(plaintextLen)
  let block = p.sha256(utf8(plaintextSeed))
  for (let at = 0; at < plaintextLen; at += 32) {
    out.set(block.subarray(0, plaintextLen - at), at)
    block = p.sha256(block)
  }
  return out
}

const random = seededRandom('chunked')
const KEY = random(32)
const SALT = random(24)
const CONTEXT = utf8('here')
const CHUNK = 64

describe('chunked encryption', () => {
  it('reproduces Cobblestone-256 with chunks of 16 KiB', function () {
    const path = referenceData(this, 'records/c2sp/cobblestone-crosschecked.json')
    const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as { vectors: Cobblestone[] }
    const ours = vectors.filter(({ scheme }) => scheme === 'Cobblestone-256')
    expect(ours.length).to.equal(20)
    for (const vector of ours) {
      const parameters = { key: fromHex(vector.key), context: utf8(vector.context), chunkBytes: C2SP_CHUNK_BYTES }
      const plaintext = plaintextOf(vector)
      const sealed = sealChunked(p, { ...parameters, salt: fromHex(vector.salt), plaintext })
      expect(toHex(p.sha256(sealed))).to.equal(`0x${vector.ciphertextSha256}`)
      expect(equalBytes(openChunked(p, { ...parameters, sealed }), plaintext)).to.equal(true)
    }
  })

  it('opens to what was sealed, whatever the length, and is as long as promised', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5 * CHUNK }), plaintext => {
        const sealed = sealChunked(p, { key: KEY, salt: SALT, context: CONTEXT, plaintext, chunkBytes: CHUNK })
        expect(sealed.length).to.equal(sealedLength(plaintext.length, CHUNK))
        expect(plaintextLength(sealed.length, CHUNK)).to.equal(plaintext.length)
        expect(openChunked(p, { key: KEY, context: CONTEXT, sealed, chunkBytes: CHUNK })).to.deep.equal(plaintext)
      })
    )
  })

  it('gives the same bytes from either implementation of the primitives', () => {
    for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) {
      const input = { key: KEY, salt: SALT, context: CONTEXT, plaintext: random(length), chunkBytes: CHUNK }
      const sealed = sealChunked(p, input)
      expect(sealChunked(portablePrimitives, input)).to.deep.equal(sealed)
      expect(openChunked(portablePrimitives, { ...input, sealed })).to.deep.equal(input.plaintext)
    }
  })

  it('opens any range alone', () => {
    const span = fc.tuple(fc.nat(5 * CHUNK), fc.nat(5 * CHUNK), fc.nat(5 * CHUNK))
    fc.assert(
      fc.property(span, numbers => {
        const [from, to, length] = numbers.sort((a, b) => a - b)
        const plaintext = random(length)
        const sealed = sealChunked(p, { key: KEY, salt: SALT, context: CONTEXT, plaintext, chunkBytes: CHUNK })
        const range = openRange(p, { key: KEY, context: CONTEXT, sealed, from, to, chunkBytes: CHUNK })
        expect(range).to.deep.equal(plaintext.slice(from, to))
      })
    )
  })

  it('decrypts only the chunks of the range: damage elsewhere is not seen', async () => {
    const plaintext = random(3 * CHUNK)
    const sealed = sealChunked(p, { key: KEY, salt: SALT, context: CONTEXT, plaintext, chunkBytes: CHUNK })
    sealed[56] = (sealed[56] ?? 0) ^ 1
    const parameters = { key: KEY, context: CONTEXT, sealed, chunkBytes: CHUNK }
    expect(openRange(p, { ...parameters, from: CHUNK, to: 2 * CHUNK })).to.deep.equal(plaintext.slice(CHUNK, 2 * CHUNK))
    await expectCode('SEALED_FORGED', () => openRange(p, { ...parameters, from: 0, to: 1 }))
  })

  it('refuses another key, another context, another chunk size', async () => {
    const sealed = sealChunked(p, { key: KEY, salt: SALT, context: CONTEXT, plaintext: random(100), chunkBytes: 256 })
    const parameters = { key: KEY, context: CONTEXT, sealed, chunkBytes: 256 }
    await expectCode('SEALED_KEY', () => openChunked(p, { ...parameters, key: random(32) }))
    await expectCode('SEALED_KEY', () => openChunked(p, { ...parameters, context: utf8('there') }))
    await expectCode('SEALED_KEY', () => openChunked(p, { ...parameters, chunkBytes: 512 }))
  })

  it('refuses every flipped bit, every truncation and every extension', async () => {
    const sealed = sealChunked(p, { key: KEY, salt: SALT, context: CONTEXT, plaintext: random(100), chunkBytes: CHUNK })
    const open = (bytes: Uint8Array): unknown =>
      openChunked(p, { key: KEY, context: CONTEXT, sealed: bytes, chunkBytes: CHUNK })
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const flipped = sealed.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await expectCode(bit < 8 * 56 ? 'SEALED_KEY' : 'SEALED_FORGED', () => open(flipped))
    }
    for (let length = 0; length < sealed.length; length++) {
      const isOfNoMessage = length < 56 || (length - 56) % (CHUNK + 16) < 16
      await expectCode(isOfNoMessage ? 'SEALED_TRUNCATED' : 'SEALED_FORGED', () => open(sealed.slice(0, length)))
    }
    const longer = new Uint8Array(sealed.length + 1)
    longer.set(sealed)
    await expectCode('SEALED_FORGED', () => open(longer))
  })

  it('refuses a range outside the message', async () => {
    const sealed = sealChunked(p, { key: KEY, salt: SALT, context: CONTEXT, plaintext: random(10), chunkBytes: CHUNK })
    const parameters = { key: KEY, context: CONTEXT, sealed, chunkBytes: CHUNK }
    await expectCode('SEALED_RANGE', () => openRange(p, { ...parameters, from: 0, to: 11 }))
    await expectCode('SEALED_RANGE', () => openRange(p, { ...parameters, from: 5, to: 4 }))
  })
})
