/** Base64 of RFC 4648, section 4, in its one form: what does not encode back to the same text is not read. */
import { base64pad } from 'multiformats/bases/base64'

/** The text of bytes, with padding. */
export function toBase64(bytes: Uint8Array): string {
  return base64pad.baseEncode(bytes)
}

/** The bytes of a text, or `undefined` if it is not base64 with its padding and without stray bits. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = base64pad.baseDecode(text)
    return toBase64(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}
