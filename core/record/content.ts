/** What an entry says, signed by its author before it is sealed (docs/specs/sealing.md). */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace } from '#core/encoding/place.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'

const AREA = 'CONTENT'
const LABEL = 'salus/content/1'
const MAX_TYPE_LENGTH = 128

/** The most bytes that content may unpack to. */
export const MAX_CONTENT_BYTES = 268_435_456

/** The content of one entry. */
export interface Content {
  /** Media type of the body, for example `application/fhir+json`. */
  readonly type: string
  /** When it was recorded, in milliseconds since 1970-01-01. */
  readonly recordedAtMs: number
  readonly body: Uint8Array
}

/** The place in the record that content is bound to. */
export interface ContentPlace {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** 16 bytes, the same in all revisions of one entry. */
  readonly entry: Uint8Array
  readonly revision: number
  /** The author's Ed25519 public key. */
  readonly author: Uint8Array
}

/** The signature covers the body's digest, not the body: Ed25519 would otherwise hash a large image three times. */
function signedPart(
  p: Primitives,
  { network, patient, entry, revision, author }: ContentPlace,
  content: Content
): Uint8Array {
  const { type, recordedAtMs, body } = content
  const fields = { v: 1, network, patient, entry, revision, author, type, recordedAt: recordedAtMs }
  return signingInput(LABEL, { ...fields, bodySha256: p.sha256(body) })
}

/** Signs content for its place and encodes both. */
export function signContent(p: Primitives, place: ContentPlace, content: Content, signSeed: Uint8Array): Uint8Array {
  const { network, patient, entry, revision, author } = place
  const { type, recordedAtMs, body } = content
  const sig = p.ed25519Sign(signSeed, signedPart(p, place, content))
  return encodeCanonical({ v: 1, network, patient, entry, revision, author, type, recordedAt: recordedAtMs, body, sig })
}

/**
 * Reads content and checks that it was signed for this place: what was decrypted is not trusted either.
 *
 * @throws SalusError `CONTENT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `_NETWORK`, `_PATIENT`, `_PLACE` (another entry, revision or author), `_SIGNATURE`
 */
export function openContent(p: Primitives, bytes: Uint8Array, place: ContentPlace): Content {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CONTENT_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'entry', 'revision', 'author', 'type', 'recordedAt', 'body', 'sig']
  const map = readMap(value, AREA, fields)
  readPlace(map, AREA, place)
  const entry = readBytes(map['entry'], AREA, 'entry', 16)
  const author = readBytes(map['author'], AREA, 'author', 32)
  const revision = readUint(map['revision'], AREA, 'revision')
  if (!equalBytes(entry, place.entry) || revision !== place.revision || !equalBytes(author, place.author)) {
    throw new SalusError('CONTENT_PLACE', 'Refused: the content was signed for another entry, revision or author.')
  }
  const content = {
    type: readText(map['type'], AREA, 'type', MAX_TYPE_LENGTH),
    recordedAtMs: readUint(map['recordedAt'], AREA, 'recordedAt'),
    body: readBytes(map['body'], AREA, 'body', { min: 0, max: MAX_CONTENT_BYTES })
  }
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  if (!p.ed25519Verify(author, signedPart(p, place, content), signature)) {
    throw new SalusError('CONTENT_SIGNATURE', 'Refused: the author’s signature does not match the content.')
  }
  return content
}
