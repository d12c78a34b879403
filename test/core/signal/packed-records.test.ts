import { decode, encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import fc from 'fast-check'
import type { BatchRecord } from '#core/batch/record.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { packRecords, recordOfSegment, unpackRecords } from '#core/signal/packed-records.ts'
import { MAX_SAMPLE, sampleRate, sampleScale, type WaveformSegment } from '#core/signal/segment.ts'
import { expectCode } from '#test/error-code.ts'

const START_MS = 1_700_000_000_000

function segment(channel: string, sequence: number, samples: readonly number[]): WaveformSegment {
  return {
    stream: {
      device: 'm',
      channel,
      mdc: 131330,
      loinc: '',
      ucum: 'mV',
      rate: sampleRate(360, 1000),
      scale: sampleScale(1, 0, 200)
    },
    sequence,
    deviceTimeMs: sequence,
    receivedAtMs: START_MS + sequence,
    flags: 0,
    samples
  }
}

const samples = fc.array(fc.integer({ min: -MAX_SAMPLE, max: MAX_SAMPLE }), { minLength: 1, maxLength: 30 })
const waveform = fc
  .tuple(fc.constantFrom('II', 'V', 'PLETH'), fc.nat(10_000), samples)
  .map(([channel, sequence, list]) => recordOfSegment(segment(channel, sequence, list)))
const other = fc
  .tuple(fc.constantFrom('alarm' as const, 'waveform' as const), fc.nat(1000))
  .map(([kind, atMs]): BatchRecord => ({ kind, atMs, body: utf8('not a segment') }))
const late = waveform.map(record => ({ ...record, atMs: record.atMs + 1 }))

/** As it goes through the canonical bytes of a batch. */
const throughBytes = (value: unknown): unknown => decode(encode(value))

describe('records of a batch, waveforms packed', () => {
  it('are unpacked to what they were, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(waveform, waveform, other, late), { maxLength: 40 }), records => {
        expect(unpackRecords(throughBytes(packRecords(records)))).to.deep.equal(records)
      })
    )
  })

  it('take a fraction of their bytes', () => {
    const records = Array.from({ length: 60 }, (_, i) =>
      recordOfSegment(
        segment(
          'II',
          360 * i,
          Array.from({ length: 360 }, (_, at) => Math.trunc(500 * Math.sin((360 * i + at) / 30)) + 0)
        )
      )
    )
    const packed = encode(packRecords(records)).length
    expect(packed).to.be.lessThan(records.reduce((sum, record) => sum + record.body.length, 0) / 6)
  })

  it('are refused where runs and list do not fit, by a code whatever is changed', async () => {
    const packed = packRecords([recordOfSegment(segment('II', 0, [1, 2])), recordOfSegment(segment('II', 2, [3]))])
    await expectCode('PACKED_SHAPE', () => unpackRecords({ ...packed, items: [0] }))
    await expectCode('PACKED_SHAPE', () => unpackRecords({ ...packed, items: [0, 0, 0] }))
    await expectCode('PACKED_SHAPE', () => unpackRecords({ ...packed, items: [0, 1] }))
    await expectCode('PACKED_SHAPE', () => unpackRecords({ ...packed, items: [0, -1] }))
    await expectCode('PACKED_SHAPE', () => unpackRecords({ items: packed.items }))
    const bytes = encode(packed)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        let value: unknown
        try {
          value = decode(bytes.map((byte, i) => (i === at ? byte ^ by : byte)))
        } catch {
          // Not dag-cbor any more: the batch's decoder refuses it before anything is unpacked.
          return
        }
        try {
          unpackRecords(value)
        } catch (error) {
          if (!isSalusError(error)) throw error
        }
      }),
      { numRuns: 2000 }
    )
  })
})
