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

/** Decoded bytes are handed out in pieces of at most so many. */
const PIECE_BYTES = 49_152

/**
 * Makes a reader that hands decoded bytes to `put`; a piece is only lent, until `put` returns.
 *
 * @throws SalusError (from `write` and `end`) `BASE64_MALFORMED`
 */
export function createBase64Reader(put: (piece: Uint8Array) => void): Base64Reader {
  const piece = new Uint8Array(PIECE_BYTES)
  let used = 0
  let group = 0
  let digits = 0
  let pads = 0
  const flush = (): void => {
    if (used > 0) put(piece.subarray(0, used))
    used = 0
  }
  const putGroup = (): void => {
    if ((pads === 2 && (group & 0xffff) !== 0) || (pads === 1 && (group & 0xff) !== 0)) refuse()
    piece[used++] = group >>> 16
    if (pads < 2) piece[used++] = (group >>> 8) & 255
    if (pads < 1) piece[used++] = group & 255
    digits = 0
    group = 0
    // Padding ends the text: `pads` stays, and anything more is refused.
    if (used > PIECE_BYTES - 3) flush()
  }
  /** Reads whole groups without padding; returns where it stopped. */
  const readGroups = (codes: ArrayLike<number>, from: number, to: number): number => {
    let i = from
    for (; i + 4 <= to; i += 4) {
      const a = VALUES[codes[i] ?? 0] ?? 0xff
      const b = VALUES[codes[i + 1] ?? 0] ?? 0xff
      const c = VALUES[codes[i + 2] ?? 0] ?? 0xff
      const d = VALUES[codes[i + 3] ?? 0] ?? 0xff
      if ((a | b | c | d) > 63) break
      piece[used] = (a << 2) | (b >>> 4)
      piece[used + 1] = (b << 4) | (c >>> 2)
      piece[used + 2] = (c << 6) | d
      used += 3
      if (used > PIECE_BYTES - 3) flush()
    }
    return i
  }
  const write = (codes: ArrayLike<number>, from: number, to: number): void => {
    let i = from
    while (i < to) {
      if (digits === 0 && pads === 0) i = readGroups(codes, i, to)
      if (i >= to) return
      const code = codes[i++] ?? 0
      const value = VALUES[code] ?? 0xff
      if (code === PAD && digits >= 2) pads++
      else if (value === 0xff || pads > 0) refuse()
      group = (group << 6) | (code === PAD ? 0 : value)
      if (++digits === 4) putGroup()
    }
  }
  const end = (): void => {
    if (digits !== 0) refuse()
    flush()
  }
  return { write, end }
}

function refuse(): never {
  throw new SalusError('BASE64_MALFORMED', 'Refused: this is not base64 in its one canonical form.')
}
