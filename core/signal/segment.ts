/** A second of a waveform: its typed form and the canonical bytes that are hashed (docs/specs/waveform.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readList, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import type { Metric } from '#core/batch/metrics.ts'
import { MAX_INTEGER, readInteger } from '#core/batch/reading.ts'

const AREA = 'SEGMENT'
const LABEL = 'salus/waveform/1'
const FIELD_COUNT = 16
const ALL_FLAGS = 31

/** Most samples of a segment: one second at 4,096 Hz. */
export const MAX_SEGMENT_SAMPLES = 4096

/** Largest magnitude of a sample: recorders have 24 bits at most, and the arithmetic of the coding stays exact. */
export const MAX_SAMPLE: number = 2 ** 23

/** Most bytes of an encoded segment. */
export const MAX_SEGMENT_BYTES: number = 5 * MAX_SEGMENT_SAMPLES + 256

/** `samples` samples in `ms` milliseconds, in lowest terms: 360 Hz is 9 in 25. */
export interface SampleRate {
  readonly samples: number
  readonly ms: number
}

/** Physical value of a raw sample: (raw × factor + offset) / divisor, in the unit of the stream. Whole numbers, so nothing is rounded. */
export interface SampleScale {
  readonly factor: number
  readonly offset: number
  readonly divisor: number
}

/** What a waveform measures: segments of one stream share all of it. */
export interface WaveformStream extends Metric {
  /** Name of the device at this gateway, at most 32 characters; never a person's name or number. */
  readonly device: string
  /** Name of the channel, for example `II` or `PLETH`, at most 16 characters. */
  readonly channel: string
  readonly rate: SampleRate
  readonly scale: SampleScale
}

/** Samples that follow each other without a hole; where samples are missing, the next segment has a higher `sequence`. */
export interface WaveformSegment {
  readonly stream: WaveformStream
  /** Number of the first sample since the device began to count. */
  readonly sequence: number
  /** Milliseconds on the device's own clock of the first sample, rounded down; may be negative. */
  readonly deviceTimeMs: number
  /** Milliseconds since 1970 when the gateway received it. */
  readonly receivedAtMs: number
  /** Sum of READING_FLAGS (core/batch/reading.ts); a segment always has samples, so never `absent`. */
  readonly flags: number
  readonly samples: readonly number[]
}

/** Canonical bytes of a segment; what its leaf hashes. */
export function encodeSegment(segment: WaveformSegment): Uint8Array {
  const { stream, sequence, deviceTimeMs, receivedAtMs, flags, samples } = segment
  return encodeCanonical([
    LABEL,
    ...streamFields(stream),
    sequence,
    deviceTimeMs,
    receivedAtMs,
    flags,
    // A list of whole numbers: who checks one second needs no decoder of the packed form.
    samples
  ])
}

/**
 * Reads the canonical bytes of a segment.
 *
 * @throws SalusError `SEGMENT_*` of the canonical decoder, `SEGMENT_VERSION`, `SEGMENT_SHAPE`
 */
export function decodeSegment(bytes: Uint8Array): WaveformSegment {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SEGMENT_BYTES })
  const fields = readList(value, AREA, 'segment', FIELD_COUNT, item => item)
  if (fields.length !== FIELD_COUNT) throw new SalusError('SEGMENT_SHAPE', 'Refused: a segment is a list of 16 items.')
  const [label, ...rest] = fields
  if (label !== LABEL) {
    throw new SalusError('SEGMENT_VERSION', 'Refused: this segment has another version; use a newer Salus.')
  }
  const [sequence, deviceTimeMs, receivedAtMs, flags, samples] = rest.slice(10)
  const segment: WaveformSegment = {
    stream: readWaveformStream(rest.slice(0, 10), AREA),
    sequence: readUint(sequence, AREA, 'sequence', MAX_INTEGER),
    deviceTimeMs: readInteger(deviceTimeMs, AREA, 'deviceTimeMs', MAX_INTEGER),
    receivedAtMs: readUint(receivedAtMs, AREA, 'receivedAtMs', MAX_INTEGER),
    flags: readUint(flags, AREA, 'flags', ALL_FLAGS),
    samples: readList(samples, AREA, 'samples', MAX_SEGMENT_SAMPLES, item =>
      readInteger(item, AREA, 'samples', MAX_SAMPLE)
    )
  }
  requireSamples(segment, AREA)
  return segment
}

/** The ten items that describe a stream, in the order of the form. */
export function streamFields({ device, channel, mdc, loinc, ucum, rate, scale }: WaveformStream): unknown[] {
  return [device, channel, mdc, loinc, ucum, rate.samples, rate.ms, scale.factor, scale.offset, scale.divisor]
}

/**
 * The description of a stream from its ten items.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readWaveformStream(items: readonly unknown[], area: string): WaveformStream {
  const [device, channel, mdc, loinc, ucum, samples, ms, factor, offset, divisor] = items
  const stream: WaveformStream = {
    device: readText(device, area, 'device', 32),
    channel: readText(channel, area, 'channel', 16),
    mdc: readUint(mdc, area, 'mdc', 0xffff_ffff),
    loinc: readText(loinc, area, 'loinc', 10),
    ucum: readText(ucum, area, 'ucum', 16),
    rate: { samples: readUint(samples, area, 'rate', 1e9), ms: readUint(ms, area, 'rate', 1e9) },
    scale: {
      factor: readInteger(factor, area, 'factor', MAX_INTEGER),
      offset: readInteger(offset, area, 'offset', Number.MAX_SAFE_INTEGER),
      divisor: readUint(divisor, area, 'divisor', MAX_INTEGER)
    }
  }
  const { rate, scale } = stream
  const isLowest = gcd(rate.samples, rate.ms) === 1 && gcd(gcd(scale.factor, scale.offset), scale.divisor) === 1
  if (rate.samples === 0 || rate.ms === 0 || scale.factor === 0 || scale.divisor === 0 || !isLowest) {
    throw new SalusError(`${area}_SHAPE`, 'Refused: rate and scale must be above zero and in lowest terms.')
  }
  return stream
}

/** A rate in lowest terms. Both numbers must be whole and above 0. */
export function sampleRate(samples: number, ms: number): SampleRate {
  const common = gcd(samples, ms)
  return { samples: samples / common, ms: ms / common }
}

/** A scale in lowest terms. `divisor` must be above 0. */
export function sampleScale(factor: number, offset: number, divisor: number): SampleScale {
  const common = gcd(gcd(factor, offset), divisor)
  return { factor: factor / common, offset: offset / common, divisor: divisor / common }
}

/** Physical value of a raw sample, in the unit of the stream. */
export function physicalValue(raw: number, { factor, offset, divisor }: SampleScale): number {
  return (raw * factor + offset) / divisor
}

/** Milliseconds from the first sample of a stream to sample number `index`, rounded down. */
export function sampleTimeMs(index: number, { samples, ms }: SampleRate): number {
  return Math.floor(index / samples) * ms + Math.floor(((index % samples) * ms) / samples)
}

/**
 * Holds a segment to its bounds: samples there, no flag of absence.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function requireSamples({ samples, flags }: Pick<WaveformSegment, 'samples' | 'flags'>, area: string): void {
  if (samples.length === 0 || samples.length > MAX_SEGMENT_SAMPLES || (flags & 1) !== 0) {
    throw new SalusError(`${area}_SHAPE`, 'Refused: a segment has 1 to 4,096 samples and is never absent.')
  }
}

function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)]
  while (y !== 0) [x, y] = [y, x % y]
  return x
}
