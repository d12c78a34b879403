/** The text of a code that is shown, scanned or pasted (docs/specs/request-code.md). */
import { base32upper } from 'multiformats/bases/base32'
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'

/** What a code is: a clinician's request, the patient's answer to it, or what a sensor is given, which is secret. */
export type CodeKind = 'REQUEST' | 'ANSWER' | 'SENSOR'

/** Characters of one part: a QR code of 77 by 77 modules, which a telephone reads off a screen. */
const PART_CHARACTERS = 700
const MAX_PARTS = 32
const CHECK_CHARACTERS = 8
const MAX_TEXT_CHARACTERS = 32_768
const CHECK_LABEL = utf8('salus/check-number/1')
/** Only what a QR code's alphanumeric mode holds. */
const PART = /^SALUS:(REQUEST|ANSWER|SENSOR):([A-Z2-7]{8}):([1-9][0-9]?)\/([1-9][0-9]?):([A-Z2-7]+)$/

function checkOf(p: Primitives, bytes: Uint8Array): string {
  return base32upper.baseEncode(p.sha256(bytes)).slice(0, CHECK_CHARACTERS)
}

/** A code in parts of a size that one QR code holds; most are one to four. */
export function toCodeParts(
  p: Primitives,
  kind: CodeKind,
  bytes: Uint8Array,
  partCharacters: number = PART_CHARACTERS
): string[] {
  const text = base32upper.baseEncode(bytes)
  const count = Math.ceil(text.length / partCharacters)
  return Array.from({ length: count }, (_, i) => {
    const part = text.slice(i * partCharacters, (i + 1) * partCharacters)
    return `SALUS:${kind}:${checkOf(p, bytes)}:${String(i + 1)}/${String(count)}:${part}`
  })
}

/** A code as one line, to be pasted. */
export function toCodeText(p: Primitives, kind: CodeKind, bytes: Uint8Array): string {
  return toCodeParts(p, kind, bytes, Number.MAX_SAFE_INTEGER).join('')
}

/**
 * Reads a code: one line, or its parts in any order, between white space; small letters count as large ones.
 *
 * @throws SalusError `CODE_TEXT_MALFORMED` (no code, or damaged), `CODE_TEXT_KIND` (another kind), `CODE_TEXT_PARTS` (parts are
 * missing or of several codes)
 */
export function readCodeText(p: Primitives, kind: CodeKind, text: string): Uint8Array {
  if (text.length > MAX_TEXT_CHARACTERS) throw malformed()
  const parts = text
    .trim()
    .toUpperCase()
    .split(/\s+/)
    .map((line): readonly (string | undefined)[] => PART.exec(line) ?? [])
  const [first] = parts
  const [, givenKind, check, , count] = first ?? []
  if (count == null || parts.some(each => each[0] == null)) throw malformed()
  if (parts.some(each => each[1] !== kind || givenKind !== kind)) {
    throw new SalusError(
      'CODE_TEXT_KIND',
      'This is another kind of code; a request is shown by who asks, an answer by the patient, a sensor’s by its gateway.'
    )
  }
  const total = Number(count)
  const byNumber = new Map(parts.map(each => [Number(each[3]), each[5] ?? '']))
  const isOne = parts.every(each => each[2] === check && each[4] === count)
  if (!isOne || byNumber.size !== total || total > MAX_PARTS) {
    throw new SalusError(
      'CODE_TEXT_PARTS',
      'Parts of the code are missing, or of several codes; scan all parts of one.'
    )
  }
  const whole = Array.from({ length: total }, (_, i) => byNumber.get(i + 1) ?? '').join('')
  const bytes = decodeBase32(whole)
  if (checkOf(p, bytes) !== check) throw malformed()
  return bytes
}

function decodeBase32(text: string): Uint8Array {
  try {
    const bytes = base32upper.baseDecode(text)
    // Left-over bits may hide a second spelling of the same bytes.
    if (base32upper.baseEncode(bytes) === text) return bytes
  } catch (cause) {
    throw malformed(cause)
  }
  throw malformed()
}

function malformed(cause?: unknown): SalusError {
  return new SalusError('CODE_TEXT_MALFORMED', 'This is no code of Salus, or a part of it was lost; scan it again.', {
    cause
  })
}

/**
 * Twelve digits that both people compare: whoever swaps the code on its way would have to find another with the same digits.
 * Forty bits, and a signature for each try.
 */
export function checkNumber(p: Primitives, bytes: Uint8Array): string {
  const digest = p.sha256(concat(CHECK_LABEL, bytes))
  const view = new DataView(digest.buffer, digest.byteOffset)
  const digits = String(view.getBigUint64(0) % 1_000_000_000_000n).padStart(12, '0')
  return [digits.slice(0, 4), digits.slice(4, 8), digits.slice(8)].join('-')
}

/**
 * Refuses a code whose check number is not the one that the other screen shows.
 *
 * @param expected - with or without dashes and spaces
 * @throws SalusError `CODE_SWAPPED`
 */
export function expectCheckNumber(p: Primitives, bytes: Uint8Array, expected: string): void {
  if (checkNumber(p, bytes).replaceAll('-', '') !== expected.replaceAll(/[\s-]/g, '')) {
    throw new SalusError('CODE_SWAPPED', 'This is not the code that the other screen shows: it was swapped on its way.')
  }
}
