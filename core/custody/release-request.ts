/** What is asked of a custodian, and what it answers (docs/specs/custody.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_SHARE_PLAN_BYTES } from '#core/custody/plan.ts'
import { MAX_SHARE_RELEASE_BYTES } from '#core/custody/release.ts'
import { MAX_READ_REQUEST_BYTES } from '#core/grant/read-request.ts'

const AREA = 'CUSTODY_REQUEST'
const ANSWER_AREA = 'CUSTODY_ANSWER'

/** The most bytes a request for a share may have. */
export const MAX_CUSTODY_REQUEST_BYTES: number = MAX_READ_REQUEST_BYTES + 64

/** The most bytes an answer may have. */
export const MAX_CUSTODY_ANSWER_BYTES: number = MAX_SHARE_PLAN_BYTES + MAX_SHARE_RELEASE_BYTES + 64

/** A request for a custodian's share. */
export interface CustodyRequest {
  /** Rule under which it is asked for: `claim` or `glass`. */
  readonly rule: 'claim' | 'glass'
  /** A signed read request to this node; its `grant` names the grant, or the emergency. */
  readonly authorization: Uint8Array
}

/** A released share, and the patient's plan that it is checked against. */
export interface CustodyAnswer {
  readonly plan: Uint8Array
  readonly release: Uint8Array
}

/** The canonical bytes of a request. */
export function encodeCustodyRequest(request: CustodyRequest): Uint8Array {
  return encodeCanonical({ v: 1, ...request })
}

/**
 * Reads a request.
 *
 * @throws SalusError `CUSTODY_REQUEST_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeCustodyRequest(bytes: Uint8Array): CustodyRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CUSTODY_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'rule', 'authorization'])
  const rule = readText(map['rule'], AREA, 'rule', 16)
  if (rule !== 'claim' && rule !== 'glass') {
    throw new SalusError('CUSTODY_REQUEST_SHAPE', 'Refused: custodians release by a claim or in an emergency.')
  }
  const bounds = { min: 1, max: MAX_READ_REQUEST_BYTES }
  return { rule, authorization: readBytes(map['authorization'], AREA, 'authorization', bounds) }
}

/** The canonical bytes of an answer. */
export function encodeCustodyAnswer(answer: CustodyAnswer): Uint8Array {
  return encodeCanonical({ v: 1, ...answer })
}

/**
 * Reads an answer; plan and release have checks of their own.
 *
 * @throws SalusError `CUSTODY_ANSWER_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeCustodyAnswer(bytes: Uint8Array): CustodyAnswer {
  const value = decodeCanonical(bytes, { area: ANSWER_AREA, maxBytes: MAX_CUSTODY_ANSWER_BYTES })
  readVersion(value, ANSWER_AREA)
  const map = readMap(value, ANSWER_AREA, ['v', 'plan', 'release'])
  return {
    plan: readBytes(map['plan'], ANSWER_AREA, 'plan', { min: 1, max: MAX_SHARE_PLAN_BYTES }),
    release: readBytes(map['release'], ANSWER_AREA, 'release', { min: 1, max: MAX_SHARE_RELEASE_BYTES })
  }
}
