import { concat, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'

/**
 * The bytes that an Ed25519 signature of Salus covers: a label that names format and version, a zero byte, the canonical
 * encoding of the value. No signature of one format can stand for another.
 */
export function signingInput(label: string, value: unknown): Uint8Array {
  return concat(utf8(label), new Uint8Array(1), encodeCanonical(value))
}
