import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { decodeReading, encodeReading, READING_FLAGS } from '#core/batch/reading.ts'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { CHARACTERISTICS, decodeCharacteristic, shortUuid } from '#core/gatt/decode.ts'
import { readingsOf, type Measurement } from '#core/gatt/measured.ts'
import { joinSegment, MAX_JOINED_BYTES, type JoinState } from '#core/gatt/segments.ts'
import { gattVectors } from '#scripts/vectors/gatt-vectors.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

interface Vectors {
  readonly valid: readonly {
    readonly name: string
    readonly uuid: string
    readonly bytes: string
    readonly measurement: Measurement
  }[]
  readonly invalid: readonly {
    readonly name: string
    readonly uuid: string
    readonly bytes: string
    readonly code: string
  }[]
}

const committed = JSON.parse(readFileSync(new URL('../../vectors/gatt.json', import.meta.url), 'utf8')) as Vectors
const AT = { device: 'strap', sequence: 0, receivedAtMs: 1_700_000_000_000 }
/** Values per characteristic in continuous integration; a million each are run by hand with SALUS_FUZZ. */
const RANDOM_VALUES = Number(process.env['SALUS_FUZZ'] ?? 4_000)

describe('decoders of GATT characteristics', () => {
  it('make the published vectors and read them as they say', () => {
    expect(JSON.parse(JSON.stringify(gattVectors()['gatt']))).to.deep.equal(committed)
    for (const { name, uuid, bytes, measurement } of committed.valid) {
      expect(decodeCharacteristic(uuid, fromHex(bytes)), name).to.deep.equal(measurement)
    }
  })

  it('refuse, where bad, with the code they name', async () => {
    for (const { uuid, bytes, code } of committed.invalid) {
      await expectCode(code, () => decodeCharacteristic(uuid, fromHex(bytes)))
    }
  })

  it('read or refuse any bytes, and what they read is always a reading', () => {
    const random = seededRandom('gatt')
    for (const uuid of CHARACTERISTICS) {
      const bytes = random(RANDOM_VALUES * 24)
      for (let i = 0; i < RANDOM_VALUES; i++) {
        const length = (bytes[24 * i] ?? 0) % 24
        expectReadingsOrRefusal(uuid, bytes.subarray(24 * i, 24 * i + length))
      }
    }
  })

  it('read or refuse every value near a valid one', () => {
    const near = fc.tuple(fc.constantFrom(...committed.valid), fc.nat(40), fc.nat(255), fc.integer({ min: -3, max: 3 }))
    fc.assert(
      fc.property(near, ([{ uuid, bytes }, at, byte, longer]) => {
        const value = [...fromHex(bytes)]
        value[at % value.length] = byte
        expectReadingsOrRefusal(
          uuid,
          Uint8Array.from(longer > 0 ? [...value, byte] : value.slice(0, value.length + longer))
        )
      }),
      { numRuns: 5000 }
    )
  })

  it('take both forms of a UUID', () => {
    expect(shortUuid('2A37')).to.equal('2a37')
    expect(shortUuid('00002a37-0000-1000-8000-00805f9b34fb')).to.equal('2a37')
    expect(shortUuid('12345678-0000-1000-8000-00805f9b34fb')).to.equal(undefined)
    expect(shortUuid('constructor')).to.equal(undefined)
  })

  it('never take a strap that is off for a heart that stands still', () => {
    const [value] = decodeCharacteristic('2a37', Uint8Array.of(4, 0)).values
    expect(value?.mantissa).to.equal(null)
    expect(value?.flags).to.equal(READING_FLAGS.absent | READING_FLAGS.artefact | READING_FLAGS.leadOff)
  })
})

describe('joining segments', () => {
  const split = (message: Uint8Array, size: number): Uint8Array[] => {
    const count = Math.max(1, Math.ceil(message.length / size))
    return Array.from({ length: count }, (_, i) =>
      Uint8Array.of(
        (i === 0 ? 1 : 0) | (i === count - 1 ? 2 : 0) | ((i % 64) << 2),
        ...message.slice(i * size, (i + 1) * size)
      )
    )
  }

  it('gives back every message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 20 }), (message, size) => {
        let state: JoinState = null
        let whole: Uint8Array | null = null
        for (const segment of split(message, size)) ({ state, message: whole } = joinSegment(state, segment))
        expect([...(whole ?? [])]).to.deep.equal([...message])
        expect(state).to.equal(null)
      })
    )
  })

  it('refuses a missing segment, one too many and a message without end', async () => {
    const [first, second, third] = split(utf8('three segments.'), 5)
    const { state } = joinSegment(null, first!)
    await expectCode('GATT_SEGMENT', () => joinSegment(state, third!))
    await expectCode('GATT_SEGMENT', () => joinSegment(null, second!))
    await expectCode('GATT_TRUNCATED', () => joinSegment(null, new Uint8Array()))
    await expectCode('GATT_SEGMENT', () =>
      joinSegment({ counter: 0, bytes: new Uint8Array(MAX_JOINED_BYTES) }, second!)
    )
  })
})

/** A decoder gives readings that have a canonical form, or a code. */
function expectReadingsOrRefusal(uuid: string, value: Uint8Array): void {
  let measurement: Measurement
  try {
    measurement = decodeCharacteristic(uuid, value)
  } catch (error) {
    if (!isSalusError(error) || !error.code.startsWith('GATT_')) throw error
    return
  }
  for (const reading of readingsOf(measurement, AT)) {
    if (decodeReading(encodeReading(reading)).mantissa !== reading.mantissa) throw new Error('changed by its form')
  }
}
