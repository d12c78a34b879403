import { expect } from 'chai'
import fc from 'fast-check'
import { concat, equalBytes, fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { expectCode } from '#test/error-code.ts'

describe('byte strings', () => {
  it('come back from hexadecimal, with and without 0x, in either case', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const hex = toHex(bytes)
        expect(fromHex(hex)).to.deep.equal(bytes)
        expect(fromHex(hex.slice(2).toUpperCase(), bytes.length)).to.deep.equal(bytes)
      })
    )
  })

  it('refuse hexadecimal that is malformed or of another length', async () => {
    for (const text of ['0x1', 'xy', '0x0g', ' 00', '0x00 ']) await expectCode('HEX_MALFORMED', () => fromHex(text))
    await expectCode('HEX_LENGTH', () => fromHex('0x0011', 3))
  })

  it('are joined in order', () => {
    expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).to.deep.equal(Uint8Array.of(1, 2, 3))
    expect(concat()).to.deep.equal(new Uint8Array())
  })

  it('are equal when all their bytes are', () => {
    expect(equalBytes(utf8('é'), Uint8Array.of(0xc3, 0xa9))).to.equal(true)
    expect(equalBytes(utf8('a'), utf8('b'))).to.equal(false)
    expect(equalBytes(utf8('a'), utf8('aa'))).to.equal(false)
  })
})
