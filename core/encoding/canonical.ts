/**
 * Canonical dag-cbor, the one byte form of every signed or hashed value (docs/specs/canonical.md).
 *
 * @see https://ipld.io/specs/codecs/dag-cbor/spec/
 */
import * as dagCbor from '@ipld/dag-cbor'
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'

/** What the bytes are, which names the error codes, and the most bytes that are looked at. */
export interface CanonicalLimits {
  /** Prefix of the error codes, for example `ENTRY` for `ENTRY_TRUNCATED`. */
  readonly area: string
  readonly maxBytes: number
}

/** The one canonical encoding of a value. Values hold byte strings, texts, safe integers, booleans, null, CIDs, arrays and maps. */
export function encodeCanonical(value: unknown): Uint8Array {
  return dagCbor.encode(value)
}

/**
 * Decodes bytes that must be the canonical encoding of some value.
 *
 * @throws SalusError `<area>_OVERSIZE`, `<area>_TRUNCATED`, `<area>_DUPLICATE_KEY`, `<area>_TRAILING`,
 * `<area>_MALFORMED` (not dag-cbor) or `<area>_NOT_CANONICAL` (decodes, but has another canonical form)
 */
export function decodeCanonical(bytes: Uint8Array, { area, maxBytes }: CanonicalLimits): unknown {
  if (bytes.length > maxBytes) {
    throw new SalusError(
      `${area}_OVERSIZE`,
      `Refused: ${String(bytes.length)} bytes, at most ${String(maxBytes)} are allowed here.`
    )
  }
  let value: unknown
  let canonical: Uint8Array
  try {
    value = dagCbor.decode(bytes)
    // Inside the same guard: nesting that just fits the decoder's stack can overflow the encoder's.
    canonical = dagCbor.encode(value)
  } catch (cause) {
    throw new SalusError(
      `${area}_${problemOf(cause)}`,
      `Refused: these bytes are not a whole, canonical dag-cbor value.`,
      { cause }
    )
  }
  if (!equalBytes(canonical, bytes)) {
    throw new SalusError(
      `${area}_NOT_CANONICAL`,
      'Refused: the value has another, canonical encoding; encode it again with sorted keys and shortest forms.'
    )
  }
  return value
}

/** Maps the decoder's message to the end of a code: the decoder has no codes of its own. */
function problemOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : ''
  if (/too many terminals/i.test(text)) return 'TRAILING'
  if (/repeat map key|duplicate/i.test(text)) return 'DUPLICATE_KEY'
  if (
    /not enough data|not enough entries|did not find any content|content missing|unexpected end|too short|terminated/i.test(
      text
    )
  )
    return 'TRUNCATED'
  return 'MALFORMED'
}
