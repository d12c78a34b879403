import { expect } from 'chai'
import fc from 'fast-check'
import { packColumn, unpackColumn, type DifferenceOrder } from '#core/batch/columns.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'
import { isSalusError } from '#core/error.ts'
import { expectCode } from '#test/error-code.ts'

const order = fc.constantFrom<DifferenceOrder[]>(1, 2)
const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -MAX_INTEGER, max: MAX_INTEGER }),
  fc.constantFrom(0, 60, 60, 60)
)

describe('column coding', () => {
  it('gives back every column', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), order, (values, by) => {
        expect(unpackColumn(packColumn(values, by), by, values.length)).to.deep.equal(values)
      })
    )
  })

  it('holds the largest values and differences', () => {
    const values = [MAX_INTEGER, -MAX_INTEGER, MAX_INTEGER, -MAX_INTEGER]
    expect(unpackColumn(packColumn(values, 2), 2, 4)).to.deep.equal(values)
  })

  it('needs a few bytes for an even clock', () => {
    const times = Array.from({ length: 10_000 }, (_, i) => 1_700_000_000_000 + 1000 * i)
    expect(packColumn(times, 2).length).to.be.lessThan(20)
  })

  it('has one coding per column and never allocates beyond the announced count', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), order, fc.nat(50), (bytes, by, count) => {
        let values: number[]
        try {
          values = unpackColumn(bytes, by, count)
        } catch (error) {
          expect(isSalusError(error, 'BATCH_COLUMN')).to.equal(true)
          return
        }
        expect(values.length).to.equal(count)
        expect([...packColumn(values, by)]).to.deep.equal([...bytes])
      }),
      { numRuns: 2000 }
    )
  })

  it('refuses columns that are cut off, too long or padded', async () => {
    const bytes = packColumn([5, 6, 7, 7, 7], 1)
    await expectCode('BATCH_COLUMN', () => unpackColumn(bytes, 1, 4))
    await expectCode('BATCH_COLUMN', () => unpackColumn(bytes, 1, 6))
    await expectCode('BATCH_COLUMN', () => unpackColumn(Uint8Array.of(0x80), 1, 1))
    await expectCode('BATCH_COLUMN', () => unpackColumn(Uint8Array.of(0x83, 0), 1, 1))
    await expectCode('BATCH_COLUMN', () => unpackColumn(new Uint8Array(9).fill(0xff), 1, 1))
  })
})
