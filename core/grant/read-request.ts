/** A signed request to a node for a patient's entries or capsules (docs/specs/read-request.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { MAX_EVIDENCE_BYTES } from '#core/identity/evidence.ts'

const AREA = 'READ_REQUEST'
const LABEL = 'salus/read-request/1'
const MAX_AUDIENCE_BYTES = 64

/** The most bytes a read request may have. */
export const MAX_READ_REQUEST_BYTES: number = MAX_EVIDENCE_BYTES + 512

/** Who asks what node for whose entries. */
export interface ReadRequest {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** The grant read under; null where the patient itself asks. */
  readonly grant: Uint8Array | null
  /** Peer id bytes of the node that is asked: no other node answers. */
  readonly audience: Uint8Array
  /** Milliseconds since 1970-01-01. */
  readonly issuedAtMs: number
  /** 16 random bytes, so that a node can refuse a second use. */
  readonly nonce: Uint8Array
  /** Ed25519 public key of who asks. */
  readonly author: Uint8Array
  /** Evidence, encoded, that ties the author to the patient or to the grantee's address. */
  readonly evidence: Uint8Array
}

/** A read request as read. */
export interface DecodedReadRequest {
  readonly request: ReadRequest
  readonly signature: Uint8Array
}

function signedFields({ issuedAtMs, ...rest }: ReadRequest): Record<string, unknown> {
  return { v: 1, ...rest, issuedAt: issuedAtMs }
}

/** The bytes of a signed read request. */
export function signReadRequest(p: Primitives, request: ReadRequest, signSeed: Uint8Array): Uint8Array {
  const fields = signedFields(request)
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a read request. Freshness of `issuedAtMs` and `nonce` is for the node to judge, which has a clock and a memory.
 *
 * @param expected - `audience`: the node's own peer id bytes
 * @throws SalusError `READ_REQUEST_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`, `_AUDIENCE` (meant for another node)
 */
export function decodeReadRequest(
  bytes: Uint8Array,
  expected: Place & { readonly audience?: Uint8Array } = {}
): DecodedReadRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_READ_REQUEST_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'grant', 'audience', 'issuedAt', 'nonce', 'author', 'evidence', 'sig']
  const map = readMap(value, AREA, fields)
  const request = {
    ...readPlace(map, AREA, expected),
    grant: map['grant'] === null ? null : readBytes(map['grant'], AREA, 'grant', 32),
    audience: readBytes(map['audience'], AREA, 'audience', { min: 1, max: MAX_AUDIENCE_BYTES }),
    issuedAtMs: readUint(map['issuedAt'], AREA, 'issuedAt'),
    nonce: readBytes(map['nonce'], AREA, 'nonce', 16),
    author: readBytes(map['author'], AREA, 'author', 32),
    evidence: readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES })
  }
  if (expected.audience != null && !equalBytes(expected.audience, request.audience)) {
    throw new SalusError('READ_REQUEST_AUDIENCE', 'Refused: this request is addressed to another node.')
  }
  return { request, signature: readBytes(map['sig'], AREA, 'sig', 64) }
}

/** Tells whether the author named in the request signed it. */
export function verifyReadRequest(p: Primitives, { request, signature }: DecodedReadRequest): boolean {
  return p.ed25519Verify(request.author, signingInput(LABEL, signedFields(request)), signature)
}
