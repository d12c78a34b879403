/** `/salus/custody/1`: one call to a custodian, and its reply (docs/specs/custody.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_CUSTODY_ANSWER_BYTES } from '#core/custody/release-request.ts'
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'

const AREA = 'CUSTODY_CALL'
const REPLY_AREA = 'CUSTODY_REPLY'
const ASKS = ['card', 'keep', 'release'] as const

/** Most bytes of a call. */
export const MAX_CUSTODY_CALL_BYTES: number = MAX_SEALED_SHARE_BYTES + 64

/** Most bytes of a reply. */
export const MAX_CUSTODY_REPLY_BYTES: number = MAX_CUSTODY_ANSWER_BYTES + 128

/** For the card; to keep a sealed share; for a release. */
export interface CustodyCall {
  readonly ask: (typeof ASKS)[number]
  /** Sealed share or request for a release; empty where the card is asked for. */
  readonly body: Uint8Array
}

/** What the custodian says: a body, or why there is none. */
export interface CustodyReply {
  readonly code: string | null
  readonly body: Uint8Array | null
}

/** The canonical bytes of a call. */
export function encodeCustodyCall(call: CustodyCall): Uint8Array {
  return encodeCanonical({ v: 1, ...call })
}

/**
 * Reads a call.
 *
 * @throws SalusError the `CUSTODY_CALL_*` codes of the canonical decoder; `CUSTODY_CALL_SHAPE`, `CUSTODY_CALL_VERSION`
 */
export function decodeCustodyCall(bytes: Uint8Array): CustodyCall {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CUSTODY_CALL_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'ask', 'body'])
  const text = readText(map['ask'], AREA, 'ask', 16)
  const ask = ASKS.find(each => each === text)
  if (ask == null) throw new SalusError('CUSTODY_CALL_SHAPE', 'Refused: custodians do not know this call.')
  return { ask, body: readBytes(map['body'], AREA, 'body', { min: 0, max: MAX_SEALED_SHARE_BYTES }) }
}

/** The canonical bytes of a reply. */
export function encodeCustodyReply(reply: CustodyReply): Uint8Array {
  return encodeCanonical({ v: 1, ...reply })
}

/**
 * Reads a reply: either a body or a code.
 *
 * @throws SalusError the `CUSTODY_REPLY_*` codes of the canonical decoder; `CUSTODY_REPLY_SHAPE`, `CUSTODY_REPLY_VERSION`
 */
export function decodeCustodyReply(bytes: Uint8Array): CustodyReply {
  const value = decodeCanonical(bytes, { area: REPLY_AREA, maxBytes: MAX_CUSTODY_REPLY_BYTES })
  readVersion(value, REPLY_AREA)
  const map = readMap(value, REPLY_AREA, ['v', 'code', 'body'])
  const bounds = { min: 1, max: MAX_CUSTODY_ANSWER_BYTES }
  const body = map['body'] === null ? null : readBytes(map['body'], REPLY_AREA, 'body', bounds)
  const code = map['code'] === null ? null : readText(map['code'], REPLY_AREA, 'code', 64)
  if ((code == null) === (body == null) || (code != null && !/^[A-Z][A-Z0-9_]*$/.test(code))) {
    throw new SalusError('CUSTODY_REPLY_SHAPE', 'Refused: a reply has a body or a code.')
  }
  return { code, body }
}
