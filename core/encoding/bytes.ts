import { utf8ToBytes } from '@noble/hashes/utils.js'
import { SalusError } from '#core/error.ts'

const HEX = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/

/** Joins byte strings into a new one. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** Compares two public byte strings. Not constant in time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Lower-case hexadecimal with the `0x` that Ethereum's tools expect. */
export function toHex(bytes: Uint8Array): `0x${string}` {
  let out = ''
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0')
  return `0x${out}`
}

/**
 * Reads hexadecimal, with or without `0x`.
 *
 * @throws SalusError `HEX_MALFORMED` if the text is not hexadecimal; `HEX_LENGTH` if it is not `length` bytes
 */
export function fromHex(text: string, length?: number): Uint8Array {
  const digits = HEX.exec(text)?.[1]
  if (digits == null)
    throw new SalusError('HEX_MALFORMED', 'Not hexadecimal: expected pairs of the digits 0-9 and a-f.')
  if (length != null && digits.length !== 2 * length) {
    throw new SalusError(
      'HEX_LENGTH',
      `Expected ${String(length)} bytes of hexadecimal, got ${String(digits.length / 2)}.`
    )
  }
  const out = new Uint8Array(digits.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return utf8ToBytes(text)
}
