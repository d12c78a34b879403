/** Deflate of content before sealing, bounded on the way back (docs/specs/sealing.md). */
import { deflateSync, Inflate } from 'fflate'
import { SalusError } from '#core/error.ts'
import { concat } from '#core/encoding/bytes.ts'

const STORED = 0
const DEFLATED = 1
const LEVEL = 6

/** Deflate makes at most 1032 bytes of one: this much input at a time overshoots the bound by 4 MiB at most. */
const INFLATE_STEP = 4096
/** Content that does not shrink at its start is taken for compressed already (images, columnar batches). */
const SAMPLE_BYTES = 65_536
const WORTHWHILE = 0.97

/** One byte of method (0 stored, 1 deflate after RFC 1951), then the data. */
export function compress(data: Uint8Array): Uint8Array {
  const sample = data.subarray(0, SAMPLE_BYTES)
  const shrunk = deflateSync(sample, { level: LEVEL })
  if (shrunk.length >= WORTHWHILE * sample.length) return concat(Uint8Array.of(STORED), data)
  const whole = sample.length === data.length ? shrunk : deflateSync(data, { level: LEVEL })
  return concat(Uint8Array.of(DEFLATED), whole)
}

/**
 * Undoes {@link compress}.
 *
 * @param maxBytes - the most bytes that are produced; checked while inflating, before they are kept
 * @throws SalusError `CONTENT_OVERSIZE` beyond the bound, `CONTENT_COMPRESSION` if the data is not of a known method
 */
export function decompress(packed: Uint8Array, maxBytes: number): Uint8Array {
  const data = packed.subarray(1)
  if (packed[0] === STORED) {
    if (data.length > maxBytes) throw oversize(maxBytes)
    return data
  }
  if (packed[0] === DEFLATED) return inflate(data, maxBytes)
  throw new SalusError('CONTENT_COMPRESSION', 'Refused: the content is packed by a method that this version lacks.')
}

function inflate(data: Uint8Array, maxBytes: number): Uint8Array {
  const parts: Uint8Array[] = []
  const seen = { bytes: 0, end: false }
  const inflater = new Inflate((part, final) => {
    seen.bytes += part.length
    seen.end = final
    if (seen.bytes > maxBytes) throw oversize(maxBytes)
    parts.push(part)
  })
  try {
    for (let at = 0; at < data.length; at += INFLATE_STEP) {
      inflater.push(data.subarray(at, at + INFLATE_STEP), at + INFLATE_STEP >= data.length)
    }
  } catch (cause) {
    if (cause instanceof SalusError) throw cause
    throw malformed(cause)
  }
  if (!seen.end) throw malformed()
  return concat(...parts)
}

function oversize(maxBytes: number): SalusError {
  return new SalusError('CONTENT_OVERSIZE', `Refused: the content unpacks to more than ${String(maxBytes)} bytes.`)
}

function malformed(cause?: unknown): SalusError {
  return new SalusError('CONTENT_COMPRESSION', 'Refused: the content cannot be unpacked.', { cause })
}
