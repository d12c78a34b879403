/**
 * Reads the header of a European Data Format recording (EDF, EDF+, and BDF with 24 bits).
 *
 * @see https://www.edfplus.info/specs/edf.html and https://www.edfplus.info/specs/edfplus.html
 */
import { SalusError } from '#core/error.ts'
import { sampleRate, sampleScale, type SampleRate, type SampleScale } from '#core/signal/segment.ts'

const FIXED_BYTES = 256
const SIGNAL_BYTES = 256
const MAX_SIGNALS = 512
const MAX_RECORD_BYTES: number = 16 * 2 ** 20
const MAX_RECORDS = 100_000_000
const ANNOTATIONS = /^(EDF|BDF) Annotations$/

/** A signal of the recording. */
export interface EdfSignal {
  readonly label: string
  /** Unit as it stands in the header. */
  readonly units: string
  readonly samplesPerRecord: number
  readonly rate: SampleRate
  readonly scale: SampleScale
  /** Texts instead of samples. */
  readonly isAnnotations: boolean
}

/** A header. Who was recorded stands in it too, and is not read. */
export interface EdfHeader {
  readonly headerBytes: number
  /** 2 in EDF, 3 in BDF. */
  readonly bytesPerSample: 2 | 3
  /** Data records; −1 where the recording was never closed: as many as the file holds. */
  readonly records: number
  readonly recordMs: number
  readonly recordBytes: number
  /** Records may lie apart; each tells when it began (EDF+D). */
  readonly isDiscontinuous: boolean
  readonly signals: readonly EdfSignal[]
}

/** Bytes of the header, from its first 256: what to read before {@link parseEdfHeader}. */
export function edfHeaderBytes(bytes: Uint8Array): number {
  return FIXED_BYTES + SIGNAL_BYTES * signalCount(bytes)
}

/**
 * Reads a header.
 *
 * @throws SalusError `EDF_HEADER` if it is cut off, damaged or beyond its bounds
 */
export function parseEdfHeader(bytes: Uint8Array): EdfHeader {
  const count = signalCount(bytes)
  const headerBytes = FIXED_BYTES + SIGNAL_BYTES * count
  if (bytes.length < headerBytes || integer(bytes, 184, 8) !== headerBytes) refuse('it is cut off')
  const bytesPerSample = bytes[0] === 0xff ? 3 : 2
  const records = integer(bytes, 236, 8)
  const recordMs = Math.round(decimal(bytes, 244, 8) * 1000)
  if (records < -1 || records > MAX_RECORDS || recordMs < 0 || recordMs > 86_400_000)
    refuse('its records are out of bounds')
  let at = FIXED_BYTES
  const fields = (width: number): number[] => {
    const starts = Array.from({ length: count }, (_, i) => at + width * i)
    at += width * count
    return starts
  }
  const labels = fields(16).map(start => text(bytes, start, 16))
  fields(80)
  const units = fields(8).map(start => text(bytes, start, 8))
  const physical = [fields(8), fields(8)].map(starts => starts.map(start => text(bytes, start, 8)))
  const digital = [fields(8), fields(8)].map(starts => starts.map(start => integer(bytes, start, 8)))
  fields(80)
  const samples = fields(8).map(start => integer(bytes, start, 8))
  const signals = labels.map((label, i): EdfSignal => {
    const samplesPerRecord = samples[i] ?? 0
    const isAnnotations = ANNOTATIONS.test(label)
    if (samplesPerRecord < 1 || samplesPerRecord > MAX_RECORD_BYTES) refuse('a signal has no samples')
    if (!isAnnotations && recordMs === 0) refuse('its records have no duration')
    return {
      label,
      units: units[i] ?? '',
      samplesPerRecord,
      rate: isAnnotations ? sampleRate(1, 1) : sampleRate(samplesPerRecord, recordMs),
      scale: isAnnotations
        ? sampleScale(1, 0, 1)
        : scaleOf(physical[0]?.[i] ?? '', physical[1]?.[i] ?? '', digital[0]?.[i] ?? 0, digital[1]?.[i] ?? 0),
      isAnnotations
    }
  })
  const recordBytes = bytesPerSample * samples.reduce((sum, each) => sum + each, 0)
  if (recordBytes > MAX_RECORD_BYTES) refuse('its records are too long')
  const isDiscontinuous = /^(EDF|BDF)\+D/.test(text(bytes, 192, 44))
  return { headerBytes, bytesPerSample, records, recordMs, recordBytes, isDiscontinuous, signals }
}

function signalCount(bytes: Uint8Array): number {
  const isEdf = bytes[0] === 0x30 && text(bytes, 0, 8) === '0'
  const isBdf = bytes[0] === 0xff && text(bytes, 1, 7) === 'BIOSEMI'
  if (bytes.length < FIXED_BYTES || !(isEdf || isBdf)) refuse('it does not begin as one')
  const count = integer(bytes, 252, 4)
  return count >= 1 && count <= MAX_SIGNALS ? count : refuse('it has no signals, or too many')
}

/** Physical = least + (sample − least digital) × physical range / digital range, as whole numbers. */
function scaleOf(least: string, most: string, low: number, high: number): SampleScale {
  const decimals = Math.max(...[least, most].map(each => /\.(\d*)$/.exec(each)?.[1]?.length ?? 0))
  const [from, to] = [least, most].map(each => Math.round(Number(each) * 10 ** decimals))
  if (from == null || to == null || !Number.isSafeInteger(from) || !Number.isSafeInteger(to))
    refuse('a range is no number')
  const divisor = (high - low) * 10 ** decimals
  const factor = to - from
  const offset = from * (high - low) - low * factor
  if (divisor <= 0 || factor === 0 || ![divisor, offset].every(Number.isSafeInteger)) refuse('a range is empty')
  return sampleScale(factor, offset, divisor)
}

/** Printable characters of a field; damage becomes a question mark rather than reach a label. */
function text(bytes: Uint8Array, from: number, length: number): string {
  let out = ''
  for (const byte of bytes.subarray(from, from + length))
    out += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?'
  return out.trim()
}

function decimal(bytes: Uint8Array, from: number, length: number): number {
  const field = text(bytes, from, length)
  return /^[+-]?\d+(\.\d*)?$/.test(field) ? Number(field) : refuse('a field is no number')
}

function integer(bytes: Uint8Array, from: number, length: number): number {
  const field = text(bytes, from, length)
  return /^[+-]?\d+$/.test(field) ? Number(field) : refuse('a field is no whole number')
}

function refuse(why: string): never {
  throw new SalusError('EDF_HEADER', `Refused the recording’s header: ${why}.`)
}
