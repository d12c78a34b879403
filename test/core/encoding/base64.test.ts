import { expect } from 'chai'
import fc from 'fast-check'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { createBase64Reader, encodeBase64, isBase64Code } from '#core/encoding/base64.ts'
import { expectCode } from '#test/error-code.ts'

function decode(text: Uint8Array, size = 5): Uint8Array {
  const out: number[] = []
  const reader = createBase64Reader(piece => out.push(...piece))
  for (let i = 0; i < text.length; i += size) reader.write(text, i, Math.min(i + size, text.length))
  reader.end()
  return Uint8Array.from(out)
}

describe('base64 in pieces', () => {
  it('agrees with the platform both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 1, max: 9 }), (bytes, size) => {
        expect(Buffer.from(encodeBase64(bytes)).toString()).to.equal(Buffer.from(bytes).toString('base64'))
        expect(decode(encodeBase64(bytes), size)).to.deep.equal(bytes)
      })
    )
  })

  it('joins pieces of three bytes', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)
    const joined = concat(encodeBase64(bytes.subarray(0, 30)), encodeBase64(bytes.subarray(30)))
    expect(joined).to.deep.equal(encodeBase64(bytes))
  })

  it('refuses every other form of the same bytes', async () => {
    for (const text of ['QQ', 'QQ=', 'QR==', 'QUI', 'QUJ=', '=QQ=', 'QQ==QQ==', 'QQ= =', 'Q Q=', 'Q-==', 'A', '====']) {
      await expectCode('BASE64_MALFORMED', () => decode(utf8(text)))
    }
    expect(utf8('Aa0+/=').every(isBase64Code)).to.equal(true)
    expect(utf8(' -_\\"').some(isBase64Code)).to.equal(false)
  })
})
