/** `/salus/submit/1`: hands one message to a peer and learns what became of it (docs/specs/submit.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'SUBMIT'

/** Most bytes of an answer. */
export const MAX_SUBMIT_ANSWER_BYTES = 256

/** What became of a submitted message: kept (`code` null), or why not. */
export interface SubmitAnswer {
  readonly code: string | null
}

/** The canonical bytes of an answer. */
export function encodeSubmitAnswer({ code }: SubmitAnswer): Uint8Array {
  return encodeCanonical({ v: 1, code })
}

/**
 * Reads an answer.
 *
 * @throws SalusError `SUBMIT_OVERSIZE`, `SUBMIT_TRUNCATED`, `SUBMIT_DUPLICATE_KEY`, `SUBMIT_TRAILING`,
 * `SUBMIT_MALFORMED`, `SUBMIT_NOT_CANONICAL`, `SUBMIT_SHAPE`, `SUBMIT_VERSION`
 */
export function decodeSubmitAnswer(bytes: Uint8Array): SubmitAnswer {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SUBMIT_ANSWER_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'code'])
  if (map['code'] === null) return { code: null }
  const code = readText(map['code'], AREA, 'code', 64)
  if (!/^[A-Z][A-Z0-9_]*$/.test(code)) throw new SalusError('SUBMIT_SHAPE', 'Refused: the code is not a code.')
  return { code }
}
