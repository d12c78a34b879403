/** The patient's word that entries are to be erased everywhere (docs/specs/erasure.md). */
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_KEY_BUNDLE_BYTES, decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { DAG_CBOR_CODEC, readSha256Cid } from '#core/record/cid.ts'
import { LAST_DAY } from '#core/record/day.ts'

const AREA = 'ERASURE'
const LABEL = 'salus/erasure/1'
const NONCE_BYTES = 16

/** The most entries that one erasure names. */
export const MAX_ERASED_ENTRIES = 256

/** The most bytes an erasure may have. */
export const MAX_ERASURE_BYTES: number = MAX_KEY_BUNDLE_BYTES + 48 * MAX_ERASED_ENTRIES + 512

/** Entries whose slots every keeper deletes. */
export interface Erasure {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Day on which the patient asks for it, since 1970-01-01 UTC. */
  readonly day: number
  /** 16 random bytes. */
  readonly nonce: Uint8Array
  /** Names of the entries' headers. */
  readonly entries: readonly CID[]
}

/** An erasure as read. */
export interface DecodedErasure extends Erasure {
  /** The patient's key bundle, whose digest is on the chain; its signing key signs the erasure. */
  readonly bundle: Uint8Array
  readonly signature: Uint8Array
}

function signedFields({ network, patient, day, nonce, entries }: Erasure, bundle: Uint8Array): Record<string, unknown> {
  return { v: 1, network, patient, day, nonce, entries, bundle }
}

/** The bytes of a signed erasure. */
export function signErasure(
  p: Primitives,
  erasure: Erasure,
  keys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
): Uint8Array {
  const fields = signedFields(erasure, keys.bundleBytes)
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(keys.signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads an erasure.
 *
 * @throws SalusError `ERASURE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeErasure(bytes: Uint8Array, expected: Place = {}): DecodedErasure {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ERASURE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'patient', 'day', 'nonce', 'entries', 'bundle', 'sig'])
  const entries = readList(map['entries'], AREA, 'entries', MAX_ERASED_ENTRIES, item =>
    readSha256Cid(item, AREA, 'entries', [DAG_CBOR_CODEC])
  )
  if (entries.length === 0) throw new SalusError('ERASURE_SHAPE', 'Refused: the erasure names no entry.')
  return {
    ...readPlace(map, AREA, expected),
    day: readUint(map['day'], AREA, 'day', LAST_DAY),
    nonce: readBytes(map['nonce'], AREA, 'nonce', NONCE_BYTES),
    entries,
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
}

/**
 * Tells whether the owner of the bundle signed it. That the bundle is the patient's, the chain says.
 *
 * @throws SalusError `KEY_BUNDLE_*` if the bundle inside is malformed
 */
export function verifyErasure(p: Primitives, erasure: DecodedErasure): boolean {
  const { sign } = decodeKeyBundle(erasure.bundle)
  return p.ed25519Verify(sign, signingInput(LABEL, signedFields(erasure, erasure.bundle)), erasure.signature)
}
