/**
 * Reads the header of a WFDB record (PhysioNet): one record line, then signals, or segments of a longer record.
 *
 * @see https://physionet.org/physiotools/wag/header-5.htm
 */
import { SalusError } from '#core/error.ts'
import { sampleRate, sampleScale, type SampleRate, type SampleScale } from '#core/signal/segment.ts'

/** Most bytes of a header file. */
export const MAX_HEADER_BYTES: number = 2 ** 20

/** The pattern of a record line takes the square of its length. */
const MAX_LINE_CHARACTERS = 1024
const MAX_SIGNALS = 256
const MAX_SEGMENTS = 65_536
const MAX_SAMPLES_PER_FRAME = 4096
const DEFAULT_GAIN = '200'
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/
const RECORD = /^([A-Za-z0-9_-]+)(?:\/(\d{1,6}))?\s+(\d{1,4})(?:\s+(\S+))?(?:\s+(\d{1,12}))?(?:\s+.*)?$/
const FORMAT = /^(\d{1,4})(?:x(\d{1,4}))?(?::(\d{1,9}))?(?:\+(\d{1,9}))?$/
const GAIN = /^([0-9.]+(?:e[+-]?\d{1,2})?)(?:\((-?\d{1,10})\))?(?:\/(\S{1,32}))?$/i
const NUMBER = /^-?\d{1,12}$/

/** A signal of a record. */
export interface WfdbSignal {
  /** Name of its file, in the folder of the header; null for a layout's signal, which has none. */
  readonly file: string | null
  readonly format: number
  readonly samplesPerFrame: number
  /** Frames by which its samples lie too late in the file. */
  readonly skew: number
  /** Bytes before the first sample. */
  readonly byteOffset: number
  readonly scale: SampleScale
  /** Unit as it stands in the header, `mV` where none does. */
  readonly units: string
  /** First sample and 16-bit sum of all, where the header has them. */
  readonly initial: number | null
  readonly checksum: number | null
  readonly label: string
}

/** A part of a longer record: a record of its own, or a gap. */
export interface WfdbSegment {
  /** Null for a gap. */
  readonly name: string | null
  /** Frames; 0 for a layout. */
  readonly frames: number
}

/** A header. */
export interface WfdbHeader {
  /** Frames in time. */
  readonly rate: SampleRate
  /** Frames, 0 where the header does not say. */
  readonly frames: number
  readonly signals: readonly WfdbSignal[]
  /** Empty for a record of one piece. */
  readonly segments: readonly WfdbSegment[]
}

/**
 * Reads a header. Comments are not kept: they hold ages, names and diagnoses.
 *
 * @throws SalusError `WFDB_HEADER` if it is damaged or beyond its bounds, `WFDB_NAME` if it names a file outside its folder
 */
export function parseWfdbHeader(text: string): WfdbHeader {
  if (text.length > MAX_HEADER_BYTES) refuse('it is larger than 1 MiB')
  const lines = text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
  if (lines.some(({ length }) => length > MAX_LINE_CHARACTERS)) refuse('a line of it is longer than 1,024 characters')
  const [, , segmentCount, signalCount = '', frequency = '250', frames = '0'] =
    RECORD.exec(lines[0] ?? '') ?? refuse('its first line is no record')
  const count = Number(signalCount)
  if (count > MAX_SIGNALS) refuse('it has too many signals')
  const rate = rateOf(frequency)
  const body = lines.slice(1)
  if (segmentCount != null) {
    if (Number(segmentCount) > MAX_SEGMENTS || body.length !== Number(segmentCount))
      refuse('its segments are not as many as it says')
    return { rate, frames: Number(frames), signals: [], segments: body.map(segmentOf) }
  }
  if (body.length !== count) refuse('its signals are not as many as it says')
  const signals = body.map(signalOf)
  if (signals.reduce((sum, each) => sum + each.samplesPerFrame, 0) > MAX_SAMPLES_PER_FRAME)
    refuse('its frames are too long')
  return { rate, frames: Number(frames), signals, segments: [] }
}

/** Frames per second, perhaps with the frequency and base of a counter behind it, which nothing here needs. */
function rateOf(field: string): SampleRate {
  const hertz = Number(/^([0-9.]+(?:e[+-]?\d+)?)(?:\/[0-9.]+(?:\(-?[0-9.]+\))?)?$/i.exec(field)?.[1])
  if (!(hertz >= 0.0001 && hertz <= 1e6)) refuse('its frequency is none')
  // Slow ones are written as a decimal of 1/60: whole milliseconds are what was meant.
  return hertz < 1 ? sampleRate(1, Math.round(1000 / hertz)) : sampleRate(Math.round(hertz * 1000), 1_000_000)
}

function segmentOf(line: string): WfdbSegment {
  const [name = '', frames = ''] = line.split(/\s+/)
  if (!NUMBER.test(frames) || Number(frames) < 0) refuse('a segment has no length')
  return { name: name === '~' ? null : plainName(name), frames: Number(frames) }
}

function signalOf(line: string): WfdbSignal {
  const [file = '', formatField = '', gainField = DEFAULT_GAIN, ...rest] = line.split(/\s+/)
  const format = FORMAT.exec(formatField) ?? refuse('a signal has no format')
  const [, code, perFrame = '1', skew = '0', byteOffset = '0'] = format
  const [, gainText = DEFAULT_GAIN, baselineText, units = 'mV'] = GAIN.exec(gainField) ?? refuse('a signal has no gain')
  const numbers = rest.slice(0, 5).map(field => (NUMBER.test(field) ? Number(field) : refuse('a field is no number')))
  const [, zero = 0, initial = null, checksum = null] = numbers
  if (Number(perFrame) < 1) refuse('a signal has no samples in a frame')
  return {
    file: file === '~' ? null : plainName(file),
    format: Number(code),
    samplesPerFrame: Number(perFrame),
    skew: Number(skew),
    byteOffset: Number(byteOffset),
    scale: scaleOf(gainText, baselineText == null ? zero : Number(baselineText)),
    units,
    initial,
    checksum,
    label: rest.slice(5).join(' ')
  }
}

/** Value = (sample − baseline) / gain; a gain of 0 says that nobody calibrated, and 200 is the usual guess. */
function scaleOf(gainText: string, baseline: number): SampleScale {
  const [mantissa = '', exponent = '0'] = (Number(gainText) === 0 ? DEFAULT_GAIN : gainText).toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = Number(whole + fraction)
  const decimals = fraction.length - Number(exponent)
  const factor = 10 ** Math.max(0, decimals)
  const divisor = digits * 10 ** Math.max(0, -decimals)
  const isExact =
    [factor, divisor, baseline * factor].every(Number.isSafeInteger) && Math.max(factor, divisor) <= 2 ** 48
  if (!isExact || divisor === 0) refuse('a gain is out of bounds')
  return sampleScale(factor, 0 - baseline * factor, divisor)
}

function plainName(name: string): string {
  if (NAME.test(name) && !name.includes('..')) return name
  throw new SalusError('WFDB_NAME', 'Refused the record: it names a file outside of its own folder.')
}

function refuse(why: string): never {
  throw new SalusError('WFDB_HEADER', `Refused the record’s header: ${why}.`)
}
