import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { decode, encode } from '@ipld/dag-cbor'
import { HEART_RATE, OXYGEN_SATURATION, type Metric } from '#core/batch/metrics.ts'
import { decodeReading, encodeReading } from '#core/batch/reading.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES, readingsOf, type LinkMessage } from '#core/link/message.ts'
import { decodeSensorCard, encodeSensorCard } from '#core/link/provisioning.ts'
import { decodeSensors, encodeSensors } from '#core/link/sensors.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { linkVectors } from '#scripts/vectors/link-vectors.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

interface Committed {
  readonly messages: readonly { readonly bytes: string }[]
}

const file = readFileSync(new URL('../../vectors/sensor-link.json', import.meta.url), 'utf8')
const committed = JSON.parse(file) as Committed

const metric = fc.constantFrom<Metric>(HEART_RATE, OXYGEN_SATURATION)
const whole = fc.integer({ min: 0, max: 2 ** 48 })
const reading = fc
  .record({
    metric,
    exponent: fc.integer({ min: -9, max: 9 }),
    sequence: whole,
    deviceTimeMs: whole,
    value: fc.option(whole)
  })
  .map(({ metric: { mdc, loinc, ucum }, exponent, sequence, deviceTimeMs, value }) => ({
    stream: { mdc, loinc, ucum, exponent },
    sequence,
    deviceTimeMs,
    mantissa: value,
    flags: value === null ? 1 : 0
  }))

describe('the formats of a sensor link', () => {
  it('are those of the published vectors', () => {
    for (const p of [portablePrimitives, nativePrimitives]) {
      expect(JSON.parse(JSON.stringify(linkVectors(p)['sensor-link']))).to.deep.equal(committed)
    }
  })

  it('carry no reading that the gateway’s journal could not read again', async () => {
    const most = 2 ** 48
    const largest = (loinc: string, ucum: string): Uint8Array =>
      encodeMessage({
        ...{ kind: 'readings', number: 1, previous: null },
        readings: [
          {
            stream: { mdc: 0xffff_ffff, loinc, ucum, exponent: -9 },
            ...{ sequence: most, deviceTimeMs: -most, mantissa: -most, flags: 30 }
          }
        ]
      })
    const taken = decodeMessage(largest('~'.repeat(10), '~'.repeat(16))) as Extract<LinkMessage, { kind: 'readings' }>
    for (const each of readingsOf(taken.readings, 'd'.repeat(32), most)) {
      expect(decodeReading(encodeReading(each))).to.deep.equal(each)
    }
    // Three bytes each in UTF-8: 162 in all.
    await expectCode('LINK_MESSAGE_SHAPE', () => decodeMessage(largest('\u20ac'.repeat(10), '\u20ac'.repeat(16))))
  })

  it('carry readings whole, grouped by stream', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 40 }), whole, fc.option(whole), (readings, number, previous) => {
        const bytes = encodeMessage({ kind: 'readings', number, previous, readings })
        const message = decodeMessage(bytes) as Extract<LinkMessage, { kind: 'readings' }>
        expect(message).to.include({ number, previous })
        expect(message.readings).to.have.deep.members(readings)
        expect(encodeMessage(message)).to.deep.equal(bytes)
        for (const each of readingsOf(message.readings, 'monitor', 1_700_000_000_000)) {
          expect(decodeReading(encodeReading(each))).to.deep.equal(each)
        }
      }),
      { numRuns: 200 }
    )
  })

  it('refuse with a code what is cut, longer, larger, not canonical, or of another shape', async () => {
    const [first] = committed.messages
    const bytes = fromHex(first?.bytes ?? '')
    for (let length = 0; length < bytes.length; length++)
      await expectCode('LINK_MESSAGE_TRUNCATED', () => decodeMessage(bytes.slice(0, length)))
    await expectCode('LINK_MESSAGE_TRAILING', () => decodeMessage(concat(bytes, Uint8Array.of(0))))
    await expectCode('LINK_MESSAGE_OVERSIZE', () => decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1)))
    const [kind, number, previous, streams] = decode<unknown[]>(bytes)
    const [stream] = streams as unknown[][]
    const [mdc, loinc, ucum, exponent] = stream ?? []
    const withReading = (...values: unknown[]): unknown => [1, 0, null, [[mdc, loinc, ucum, exponent, [values]]]]
    const shapes: unknown[] = [
      {},
      [],
      [0],
      [5, number],
      [9, number, previous, streams],
      [kind, -1, previous, streams],
      [kind, number, streams],
      [kind, number, 'x', streams],
      [kind, number, previous, [[mdc, loinc, ucum, exponent]]],
      [kind, number, previous, [[mdc, loinc, 'x'.repeat(17), exponent, []]]],
      withReading(0, 0, 60),
      withReading(0, 0, null, 0),
      withReading(0, 0, 60, 1),
      withReading(-1, 0, 60, 0),
      withReading(0, 0, 2 ** 49, 0),
      withReading(0, 0, 60, 32),
      [2, [0], 1],
      [2, Array.from({ length: 65 }, (_, i) => i)],
      [3, new Uint8Array(15), new Uint8Array(32)],
      [3, new Uint8Array(16), new Uint8Array(31)],
      [4, new Uint8Array(17)]
    ]
    for (const shape of shapes) await expectCode('LINK_MESSAGE_SHAPE', () => decodeMessage(encode(shape)))
  })

  it('fail on no mutation but with a code', async () => {
    for (const [i, { bytes }] of committed.messages.entries())
      await survivesMutations(fromHex(bytes), { seed: `message ${String(i)}`, count: 2000 }, decodeMessage)
  })
})

describe('a sensor’s card', () => {
  const card = {
    handle: new Uint8Array(16).fill(1),
    psk: new Uint8Array(32).fill(2),
    suite: 2 as const,
    device: 'monitor',
    udp: '192.0.2.1:5684',
    mqtt: '',
    gatewayKey: new Uint8Array(32).fill(3)
  }
  const valid = (): Uint8Array => encodeSensorCard(card)

  it('is read as it was written', () => {
    expect(decodeSensorCard(valid())).to.deep.equal(card)
  })

  it('has the gateway’s key for suite 2 and no other', async () => {
    await expectCode('SENSOR_CARD_SHAPE', () => decodeSensorCard(encodeSensorCard({ ...card, suite: 1 })))
    await expectCode('SENSOR_CARD_SHAPE', () => decodeSensorCard(encodeSensorCard({ ...card, suite: 0 as 1 })))
  })

  itRefusesBadInput({ area: 'SENSOR_CARD', maxBytes: 512, valid, decode: decodeSensorCard, mutations: 2000 })
})

describe('what a gateway keeps of its sensors', () => {
  const access = { handle: new Uint8Array(16), psk: new Uint8Array(32), attempt: 7 }
  const sensors = {
    gatewaySecret: new Uint8Array(32),
    sensors: [
      {
        device: 'monitor',
        suite: 1 as const,
        config: new Uint8Array(32),
        sensorKey: new Uint8Array(),
        salt: new Uint8Array(32),
        record: new Uint8Array(32),
        current: access,
        next: { ...access, attempt: 8 }
      }
    ],
    registry: [new Uint8Array(32)]
  }

  it('is read as it was written', () => {
    expect(decodeSensors(encodeSensors(sensors))).to.deep.equal(sensors)
  })

  itRefusesBadInput({
    area: 'SENSORS',
    maxBytes: 4 * 1024 * 1024,
    valid: () => encodeSensors(sensors),
    decode: decodeSensors,
    mutations: 2000
  })
})
