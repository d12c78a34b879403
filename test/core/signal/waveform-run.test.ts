import { expect } from 'chai'
import fc from 'fast-check'
import { ECG } from '#core/signal/metrics.ts'
import { packSamples, unpackSamples } from '#core/signal/sample-code.ts'
import {
  decodeSegment,
  encodeSegment,
  MAX_SAMPLE,
  MAX_SEGMENT_SAMPLES,
  physicalValue,
  sampleRate,
  sampleScale,
  sampleTimeMs,
  type WaveformSegment,
  type WaveformStream
} from '#core/signal/segment.ts'
import { decodeRun, encodeRun } from '#core/signal/waveform-run.ts'
import { isSalusError } from '#core/error.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const STREAM: WaveformStream = {
  device: 'monitor',
  channel: 'II',
  ...ECG,
  rate: sampleRate(360, 1000),
  scale: sampleScale(1, -1024, 200)
}
const START_MS = 1_700_000_000_000

const sample = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -2048, max: 2047 }),
  fc.integer({ min: -MAX_SAMPLE, max: MAX_SAMPLE }),
  fc.constantFrom(-MAX_SAMPLE, MAX_SAMPLE, 0)
)

function segments(lists: readonly (readonly number[])[]): WaveformSegment[] {
  let sequence = 0
  return lists.map((samples, i) => {
    const segment = {
      stream: STREAM,
      sequence,
      deviceTimeMs: 1000 * i - 2000,
      receivedAtMs: START_MS + 1000 * i,
      flags: 0,
      samples
    }
    sequence += samples.length
    return segment
  })
}

describe('coding of samples', () => {
  it('gives back every waveform', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 300 }), samples => {
        expect(unpackSamples(packSamples(samples), samples.length)).to.deep.equal(samples)
      })
    )
  })

  it('gives back the worst: full-scale squares, noise and steps, without overflow', () => {
    const noise = Array.from(new Int32Array(seededRandom('noise')(80_000).buffer), word => word % (MAX_SAMPLE + 1))
    const square = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? MAX_SAMPLE : -MAX_SAMPLE))
    const step = Array.from({ length: 20_000 }, (_, i) => (i % 5000 < 2500 ? MAX_SAMPLE : 0))
    for (const samples of [noise, square, step]) {
      expect(unpackSamples(packSamples(samples), samples.length)).to.deep.equal(samples)
    }
  })

  it('needs about a bit for a flat line and few for a smooth one', () => {
    const flat = new Array<number>(36_000).fill(1024)
    expect((8 * packSamples(flat).length) / flat.length).to.be.lessThan(1.1)
    const smooth = Array.from({ length: 36_000 }, (_, i) => Math.round(400 * Math.sin(i / 50)))
    expect((8 * packSamples(smooth).length) / smooth.length).to.be.lessThan(2.6)
  })

  it('refuses any other bytes by its code, or they are the one coding of what they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(100), (bytes, count) => {
        let samples: number[]
        try {
          samples = unpackSamples(bytes, count)
        } catch (error) {
          expect(isSalusError(error, 'WAVEFORM_CODE')).to.equal(true)
          return
        }
        expect([...packSamples(samples)]).to.deep.equal([...bytes])
      }),
      { numRuns: 3000 }
    )
  })

  it('refuses bytes that are cut off, go on, or announce more than they can hold', async () => {
    const bytes = packSamples([1, 2, 3, 500, -500])
    await expectCode('WAVEFORM_CODE', () => unpackSamples(bytes.subarray(0, -1), 5))
    await expectCode('WAVEFORM_CODE', () => unpackSamples(Uint8Array.of(...bytes, 0), 5))
    await expectCode('WAVEFORM_CODE', () => unpackSamples(bytes, 4))
    await expectCode('WAVEFORM_CODE', () => unpackSamples(bytes, 1e9))
    await expectCode('WAVEFORM_CODE', () => unpackSamples(new Uint8Array(50).fill(0xff), 10))
  })
})

describe('segment of a waveform', () => {
  it('has one canonical form and refuses every other', async () => {
    const [segment] = segments([[1, -2, 3]])
    const bytes = encodeSegment(segment!)
    expect(decodeSegment(bytes)).to.deep.equal(segment)
    const bad: [string, Partial<WaveformSegment>][] = [
      ['SEGMENT_SHAPE', { samples: [] }],
      ['SEGMENT_SHAPE', { samples: [MAX_SAMPLE + 1] }],
      ['SEGMENT_SHAPE', { flags: 1 }],
      ['SEGMENT_SHAPE', { flags: 32 }],
      ['SEGMENT_SHAPE', { sequence: -1 }],
      ['SEGMENT_SHAPE', { stream: { ...STREAM, rate: { samples: 360, ms: 1000 } } }],
      ['SEGMENT_SHAPE', { stream: { ...STREAM, scale: { factor: 1, offset: 0, divisor: 0 } } }],
      ['SEGMENT_SHAPE', { samples: new Array<number>(MAX_SEGMENT_SAMPLES + 1).fill(0) }]
    ]
    for (const [code, change] of bad)
      await expectCode(code, () => decodeSegment(encodeSegment({ ...segment!, ...change })))
    await expectCode('SEGMENT_TRUNCATED', () => decodeSegment(bytes.subarray(0, -1)))
    await expectCode('SEGMENT_OVERSIZE', () => decodeSegment(new Uint8Array(30_000)))
  })

  it('knows its physical values and times without rounding', () => {
    expect(physicalValue(1224, STREAM.scale)).to.equal(1)
    expect(sampleTimeMs(360 * 3600 * 24 * 30 + 180, STREAM.rate)).to.equal(30 * 86_400_000 + 500)
    expect(STREAM.rate).to.deep.equal({ samples: 9, ms: 25 })
  })
})

describe('run of segments', () => {
  it('gives back its segments, holes and all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(sample, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 10 }),
        lists => {
          const run = segments(lists).filter((_, i) => i % 3 !== 1 || i === 0)
          expect(decodeRun(encodeRun(run))).to.deep.equal(run)
        }
      )
    )
  })

  it('refuses changed bytes by a code, never by another throw', () => {
    const bytes = encodeRun(segments([[1, 2, 3], [4, 5, 600], [-7]]))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = bytes.map((byte, i) => (i === at ? byte ^ by : byte))
        try {
          expect([...encodeRun(decodeRun(changed))]).to.deep.equal([...changed])
        } catch (error) {
          if (!isSalusError(error)) throw error
          expect(error.code).to.match(/^(WAVEFORM|BATCH_COLUMN)/)
        }
      }),
      { numRuns: 3000 }
    )
  })

  it('refuses none, too many and several streams', async () => {
    const [first, second] = segments([[1], [2]])
    await expectCode('WAVEFORM_SHAPE', () => encodeRun([]))
    await expectCode('WAVEFORM_SHAPE', () => encodeRun([first!, { ...second!, stream: { ...STREAM, channel: 'V' } }]))
    await expectCode('WAVEFORM_SHAPE', () => encodeRun(new Array<WaveformSegment>(5000).fill(first!)))
  })
})
