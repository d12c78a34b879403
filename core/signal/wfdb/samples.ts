/**
 * The forms in which WFDB keeps samples, as two's complement: 212 (pairs of 12 bits in three bytes), 16, 24 and 32 bits little-endian,
 * 61 (16 bits big-endian), 160 and 80 (16 and 8 bits with an offset).
 *
 * @see https://physionet.org/physiotools/wag/signal-5.htm
 */
import { SalusError } from '#core/error.ts'

/** Stands for a sample that was not measured. */
export const MISSING_SAMPLE: number = -(2 ** 31)

interface Form {
  /** Bits of a sample in the file. */
  readonly bits: number
  /** The value that means: not measured. */
  readonly missing: number
  read(bytes: Uint8Array, index: number): number
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0
const signed = (value: number, bits: number): number => (value < 2 ** (bits - 1) ? value : value - 2 ** bits)

const FORMS: ReadonlyMap<number, Form> = new Map([
  [
    212,
    {
      bits: 12,
      missing: -2048,
      read(bytes, index) {
        const at = 3 * (index >> 1)
        const middle = byteAt(bytes, at + 1)
        const value =
          index % 2 === 0 ? byteAt(bytes, at) | ((middle & 0x0f) << 8) : byteAt(bytes, at + 2) | ((middle & 0xf0) << 4)
        return signed(value, 12)
      }
    }
  ],
  [
    16,
    {
      bits: 16,
      missing: -32768,
      read: (bytes, i) => signed(byteAt(bytes, 2 * i) | (byteAt(bytes, 2 * i + 1) << 8), 16)
    }
  ],
  [
    61,
    {
      bits: 16,
      missing: -32768,
      read: (bytes, i) => signed(byteAt(bytes, 2 * i + 1) | (byteAt(bytes, 2 * i) << 8), 16)
    }
  ],
  [
    160,
    { bits: 16, missing: -32768, read: (bytes, i) => (byteAt(bytes, 2 * i) | (byteAt(bytes, 2 * i + 1) << 8)) - 32768 }
  ],
  [80, { bits: 8, missing: -128, read: (bytes, i) => byteAt(bytes, i) - 128 }],
  [
    24,
    {
      bits: 24,
      missing: -8388608,
      read: (bytes, i) =>
        signed(byteAt(bytes, 3 * i) | (byteAt(bytes, 3 * i + 1) << 8) | (byteAt(bytes, 3 * i + 2) << 16), 24)
    }
  ]
])

/**
 * Bytes that so many samples take.
 *
 * @throws SalusError `WFDB_FORMAT` for a form that is not read here
 */
export function bytesOfSamples(format: number, count: number): number {
  return Math.ceil((formOf(format).bits * count) / 8)
}

/** Frames that fill whole bytes: reading may begin at every multiple of them. */
export function framesPerBlock(format: number, samplesPerFrame: number): number {
  return (formOf(format).bits * samplesPerFrame) % 8 === 0 ? 1 : 2
}

/**
 * Reads samples; those that were not measured are `MISSING_SAMPLE`. Bytes that are not there read as missing too.
 *
 * @throws SalusError `WFDB_FORMAT`
 */
export function readSamples(format: number, bytes: Uint8Array, count: number): Int32Array {
  const form = formOf(format)
  const there = Math.floor((8 * bytes.length) / form.bits)
  const samples = new Int32Array(count).fill(MISSING_SAMPLE)
  for (let i = 0; i < Math.min(count, there); i++) {
    const value = form.read(bytes, i)
    if (value !== form.missing) samples[i] = value
  }
  return samples
}

/** The 16-bit sum that headers hold, over samples as they lie in the file: missing ones count as the value that means so. */
export function addToChecksum(sum: number, format: number, samples: Iterable<number>): number {
  const { missing } = formOf(format)
  let total = sum
  for (const sample of samples) total = (total + (sample === MISSING_SAMPLE ? missing : sample)) & 0xffff
  return total
}

function formOf(format: number): Form {
  const form = FORMS.get(format)
  if (form == null)
    throw new SalusError('WFDB_FORMAT', 'Refused the record: its samples have a form that is not read here.')
  return form
}
