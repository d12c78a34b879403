import { expect } from 'chai'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { decodeReading, encodeReading, MAX_READING_BYTES } from '#core/batch/reading.ts'
import { concat } from '#core/encoding/bytes.ts'
import { expectCode } from '#test/error-code.ts'
import { someReadings } from '#test/core/batch/fixtures.ts'

const GOOD = [1, 'monitor', 7, -1000, 1_700_000_000_000, 147842, '8867-4', '/min', 61, 0, 0]

describe('reading', () => {
  it('comes back from its bytes, absent values included', () => {
    for (const reading of someReadings(8)) expect(decodeReading(encodeReading(reading))).to.deep.equal(reading)
  })

  it('may lie before the start of the device’s clock', () => {
    expect(decodeReading(encodeCanonical(GOOD)).deviceTimeMs).to.equal(-1000)
  })

  it('refuses each kind of damage with its own code', async () => {
    const good = encodeCanonical(GOOD)
    const changed = (index: number, value: unknown): Uint8Array => encodeCanonical(GOOD.with(index, value as number))
    await expectCode('READING_TRUNCATED', () => decodeReading(good.subarray(0, -1)))
    await expectCode('READING_TRAILING', () => decodeReading(concat(good, Uint8Array.of(0))))
    await expectCode('READING_OVERSIZE', () => decodeReading(new Uint8Array(MAX_READING_BYTES + 1)))
    await expectCode('READING_VERSION', () => decodeReading(changed(0, 2)))
    await expectCode('READING_SHAPE', () => decodeReading(changed(7, '\u00b5V')))
    await expectCode('READING_SHAPE', () => decodeReading(changed(8, 61.5)))
    await expectCode('READING_SHAPE', () => decodeReading(changed(8, null)))
    await expectCode('READING_SHAPE', () => decodeReading(changed(10, 1)))
    await expectCode('READING_SHAPE', () => decodeReading(changed(10, 32)))
    await expectCode('READING_SHAPE', () => decodeReading(encodeCanonical(GOOD.slice(1))))
    await expectCode('READING_SHAPE', () => decodeReading(encodeCanonical({ v: 1 })))
  })
})
