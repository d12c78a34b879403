import { expect } from 'chai'
import fc from 'fast-check'
import { PADDING_FLOOR, pad, paddedLength, unpad } from '#core/record/padding.ts'
import { expectCode } from '#test/error-code.ts'

describe('padding', () => {
  it('comes off again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), data => {
        expect(unpad(pad(data))).to.deep.equal(data)
      })
    )
  })

  it('makes all that is small equally long', () => {
    expect(paddedLength(0)).to.equal(PADDING_FLOOR)
    expect(paddedLength(PADDING_FLOOR)).to.equal(PADDING_FLOOR)
    expect(paddedLength(PADDING_FLOOR + 1)).to.be.above(PADDING_FLOOR)
  })

  it('follows Padmé: few lengths, at most 12 % more, never less', () => {
    expect([9, 100, 1000, 10_000, 2 ** 33 + 1].map(length => paddedLength(length, 0))).to.deep.equal([
      10,
      104,
      1024,
      10_240,
      2 ** 33 + 2 ** 27
    ])
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 2 ** 40 }), length => {
        const padded = paddedLength(length, 0)
        expect(padded).to.be.at.least(length)
        expect(padded / length).to.be.below(1.12)
        expect(paddedLength(padded, 0)).to.equal(padded)
      })
    )
  })

  it('is refused where another encoder would have padded otherwise', async () => {
    const padded = pad(Uint8Array.of(1, 2, 3))
    const dirty = padded.slice()
    dirty[dirty.length - 1] = 1
    const wrongLength = padded.slice()
    wrongLength.set([0xff, 0xff, 0xff, 0xff])
    for (const bytes of [dirty, wrongLength, padded.slice(0, -1), new Uint8Array(3), new Uint8Array(5000)]) {
      await expectCode('PADDING_MALFORMED', () => unpad(bytes))
    }
  })
})
