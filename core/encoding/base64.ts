/**
 * Base64 of RFC 4648 section 4 in pieces, for content that is never whole in memory. Only the one canonical form is read: the
 * full alphabet, padding, no spaces, and zero in the bits that padding leaves over.
 */
import { SalusError } from '#core/error.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PAD = 0x3d
const CODES = Uint8Array.from(ALPHABET, letter => letter.charCodeAt(0))
const VALUES = new Uint8Array(256).fill(0xff)
CODES.forEach((code, value) => (VALUES[code] = value))

/** Tells whether a byte may stand in base64. */
export function isBase64Code(code: number): boolean {
  return code === PAD || (VALUES[code] ?? 0xff) !== 0xff
}

/** Base64, in ASCII, of bytes; pieces join if all but the last have a multiple of three bytes. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 * Math.ceil(bytes.length / 3))
  for (let i = 0, o = 0; i < bytes.length; i += 3, o += 4) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out[o] = CODES[group >>> 18] ?? 0
    out[o + 1] = CODES[(group >>> 12) & 63] ?? 0
    out[o + 2] = i + 1 < bytes.length ? (CODES[(group >>> 6) & 63] ?? 0) : PAD
    out[o + 3] = i + 2 < bytes.length ? (CODES[group & 63] ?? 0) : PAD
  }
  return out
}

/** Reads base64 piece by piece. */
export interface Base64Reader {
  /** Takes ASCII codes from `from` up to `to`. */
  write(codes: ArrayLike<number>, from: number, to: number): void
  /** Ends the text. */
  end(): void
}

/**
 * Makes a reader that hands each decoded byte to `put`.
 *
 * @throws SalusError (from `write` and `end`) `BASE64_MALFORMED`
 */
export function createBase64Reader(put: (byte: number) => void): Base64Reader {
  let group = 0
  let digits = 0
  let pads = 0
  const write = (codes: ArrayLike<number>, from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const code = codes[i] ?? 0
      const value = VALUES[code] ?? 0xff
      if (code === PAD && digits >= 2) pads++
      else if (value === 0xff || pads > 0) refuse()
      group = (group << 6) | (code === PAD ? 0 : value)
      if (++digits < 4) continue
      putGroup()
    }
  }
  const putGroup = (): void => {
    if ((pads === 2 && (group & 0xffff) !== 0) || (pads === 1 && (group & 0xff) !== 0)) refuse()
    put(group >>> 16)
    if (pads < 2) put((group >>> 8) & 255)
    if (pads < 1) put(group & 255)
    digits = 0
    group = 0
    // Padding ends the text: `pads` stays, and anything more is refused.
  }
  const end = (): void => {
    if (digits !== 0) refuse()
  }
  return { write, end }
}

function refuse(): never {
  throw new SalusError('BASE64_MALFORMED', 'Refused: this is not base64 in its one canonical form.')
}
