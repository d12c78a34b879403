/** One measured value of one device, in the canonical form that is hashed into the gateway's tree (docs/specs/reading.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readList, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import type { Metric } from '#core/batch/metrics.ts'

const AREA = 'READING'
const VERSION = 1
const FIELD_COUNT = 11

/** Most bytes of an encoded reading. */
export const MAX_READING_BYTES = 160

/** Bounds of the integers in a reading: sums and differences of two stay safe integers. */
export const MAX_INTEGER: number = 2 ** 48

/** What is known about a reading beside its value; a bit field. */
export const READING_FLAGS = {
  /** The device gave no value (NaN, lead off, out of range): `mantissa` is null exactly when this is set. */
  absent: 1,
  /** The quality gate holds the value for an artefact. */
  artefact: 2,
  /** Sent later from a device's own store. */
  historical: 4,
  /** The sensor is not attached. */
  leadOff: 8,
  /** The gateway's clock was not synchronised when it received the reading. */
  clockUnsynchronised: 16
} as const

const ALL_FLAGS = 31

/** What a device measures: readings of one stream share device, metric and scale. */
export interface Stream extends Metric {
  /** Name of the device at this gateway, at most 32 characters; never a person's name or number. */
  readonly device: string
  /** Power of ten of every mantissa, -9 to 9. */
  readonly exponent: number
}

/** One reading: value = mantissa × 10^exponent in the stream's unit. No floating point, so that it hashes alike everywhere. */
export interface Reading {
  readonly stream: Stream
  /** Counts up by one per measurement of the device, so that a missing one shows. */
  readonly sequence: number
  /** Milliseconds on the device's own clock; may be negative. */
  readonly deviceTimeMs: number
  /** Milliseconds since 1970 when the gateway received it. */
  readonly receivedAtMs: number
  readonly mantissa: number | null
  /** Sum of {@link READING_FLAGS}. */
  readonly flags: number
}

/** Canonical bytes of a reading: dag-cbor array `[1, device, sequence, deviceTimeMs, receivedAtMs, mdc, loinc, ucum, mantissa, exponent, flags]`. */
export function encodeReading({ stream, sequence, deviceTimeMs, receivedAtMs, mantissa, flags }: Reading): Uint8Array {
  const { device, mdc, loinc, ucum, exponent } = stream
  return encodeCanonical([
    VERSION,
    device,
    sequence,
    deviceTimeMs,
    receivedAtMs,
    mdc,
    loinc,
    ucum,
    mantissa,
    exponent,
    flags
  ])
}

/**
 * Reads the canonical bytes of a reading.
 *
 * @throws SalusError `READING_*` of the canonical decoder, `READING_VERSION`, `READING_SHAPE`
 */
export function decodeReading(bytes: Uint8Array): Reading {
  const items = readList(
    decodeCanonical(bytes, { area: AREA, maxBytes: MAX_READING_BYTES }),
    AREA,
    'reading',
    11,
    x => x
  )
  if (items.length !== FIELD_COUNT) throw new SalusError('READING_SHAPE', 'Refused: a reading is a list of 11 items.')
  const [version, device, sequence, deviceTimeMs, receivedAtMs, mdc, loinc, ucum, mantissa, exponent, flags] = items
  if (version !== VERSION) {
    throw new SalusError('READING_VERSION', 'Refused: this reading has another version; use a newer Salus.')
  }
  const reading: Reading = {
    stream: readStream({ device, mdc, loinc, ucum, exponent }, AREA),
    sequence: readUint(sequence, AREA, 'sequence', MAX_INTEGER),
    deviceTimeMs: readInteger(deviceTimeMs, AREA, 'deviceTimeMs', MAX_INTEGER),
    receivedAtMs: readUint(receivedAtMs, AREA, 'receivedAtMs', MAX_INTEGER),
    mantissa: mantissa === null ? null : readInteger(mantissa, AREA, 'mantissa', MAX_INTEGER),
    flags: readUint(flags, AREA, 'flags', ALL_FLAGS)
  }
  requireConsistent(reading, AREA)
  return reading
}

/**
 * The description of a stream, from decoded fields.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readStream(fields: Record<keyof Stream, unknown>, area: string): Stream {
  return {
    device: readText(fields.device, area, 'device', 32),
    mdc: readUint(fields.mdc, area, 'mdc', 0xffff_ffff),
    loinc: readCode(fields.loinc, area, 'loinc', 10),
    ucum: readCode(fields.ucum, area, 'ucum', 16),
    exponent: readInteger(fields.exponent, area, 'exponent', 9)
  }
}

/** Codes are of printable ASCII (UCUM §2): with other characters a reading could be larger than its bound. */
function readCode(value: unknown, area: string, field: string, maxLength: number): string {
  const text = readText(value, area, field, maxLength)
  if (/^[ -~]*$/.test(text)) return text
  throw new SalusError(`${area}_SHAPE`, `Refused: field "${field}" must be of printable ASCII.`)
}

/**
 * A whole number from -`max` to `max`.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function readInteger(value: unknown, area: string, field: string, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || Math.abs(value) > max || Object.is(value, -0)) {
    throw new SalusError(`${area}_SHAPE`, `Refused: field "${field}" must be a whole number of at most ${String(max)}.`)
  }
  return value
}

/**
 * Holds a reading to the rule that a value is null exactly when the flags say that it is absent.
 *
 * @throws SalusError `<area>_SHAPE`
 */
export function requireConsistent({ mantissa, flags }: Pick<Reading, 'mantissa' | 'flags'>, area: string): void {
  if ((mantissa === null) !== ((flags & READING_FLAGS.absent) !== 0)) {
    throw new SalusError(`${area}_SHAPE`, 'Refused: a reading has no value exactly when its flags say so.')
  }
}
