/** The patient's answer to a request, shown back to who asked (docs/specs/request-code.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'

const AREA = 'ANSWER_CODE'
const LABEL = 'salus/answer-code/1'

/** The most bytes an answer code may have. */
export const MAX_ANSWER_CODE_BYTES = 4096

/** The most custodians an answer may name. */
export const MAX_ANSWER_CUSTODIANS = 16

const MAX_URL_LENGTH = 200

/** Which grant answers which request. */
export interface AnswerCode {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  readonly grantId: Uint8Array
  /** SHA-256 of the request's bytes. */
  readonly request: Uint8Array
  /** The patient's Ed25519 public key, 32 bytes; the capsule shows that it is the patient's. */
  readonly author: Uint8Array
  /** The answer is void from then on; seconds since 1970-01-01. */
  readonly notAfterS: number
  /** HTTP APIs of the custodians that give the keys; absent where a capsule does. */
  readonly custodians?: readonly string[]
}

function signedFields({ notAfterS, ...rest }: AnswerCode): Record<string, unknown> {
  return { v: 1, ...rest, notAfter: notAfterS }
}

/** The bytes of a signed answer. */
export function signAnswerCode(p: Primitives, answer: AnswerCode, signSeed: Uint8Array): Uint8Array {
  const fields = signedFields(answer)
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads an answer to one of the reader's own requests.
 *
 * @param expected - `open`: digests of requests that wait; `answered`: of those that have an answer
 * @throws SalusError `ANSWER_CODE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`; `_SIGNATURE`, `_EXPIRED`, `_REPLAYED`, `_SWAPPED` (an answer to somebody else)
 */
export function openAnswerCode(
  p: Primitives,
  bytes: Uint8Array,
  expected: {
    readonly network: Uint8Array
    readonly nowS: number
    readonly open: readonly Uint8Array[]
    readonly answered: readonly Uint8Array[]
  }
): AnswerCode {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ANSWER_CODE_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'grantId', 'request', 'author', 'notAfter', 'sig']
  const map = readMap(value, AREA, fields, ['custodians'])
  const { network } = expected
  const answer = {
    ...readPlace(map, AREA, { network }),
    grantId: readBytes(map['grantId'], AREA, 'grantId', 32),
    request: readBytes(map['request'], AREA, 'request', 32),
    author: readBytes(map['author'], AREA, 'author', 32),
    notAfterS: readUint(map['notAfter'], AREA, 'notAfter', 2 ** 40),
    ...(map['custodians'] === undefined
      ? {}
      : { custodians: readList(map['custodians'], AREA, 'custodians', MAX_ANSWER_CUSTODIANS, readUrl) })
  }
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  const isSigned = p.ed25519Verify(answer.author, signingInput(LABEL, signedFields(answer)), signature)
  refuseUnless(isSigned, 'ANSWER_CODE_SIGNATURE', 'the answer was altered')
  refuseUnless(
    expected.nowS < answer.notAfterS,
    'ANSWER_CODE_EXPIRED',
    'the answer has expired; ask the patient to show it again'
  )
  const isOneOf = (digests: readonly Uint8Array[]): boolean => digests.some(each => equalBytes(each, answer.request))
  refuseUnless(!isOneOf(expected.answered), 'ANSWER_CODE_REPLAYED', 'the request of this answer has an answer already')
  refuseUnless(isOneOf(expected.open), 'ANSWER_CODE_SWAPPED', 'this answers another request than one of yours')
  return answer
}

function readUrl(value: unknown): string {
  const url = readText(value, AREA, 'custodians', MAX_URL_LENGTH)
  if (/^https?:\/\/[!-~]+$/.test(url)) return url
  throw new SalusError('ANSWER_CODE_SHAPE', 'Refused: a custodian is named by the address of its HTTP API.')
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
