/** The patient's word that entries under old tags are no longer accepted (docs/specs/rotation.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_KEY_BUNDLE_BYTES, decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { LAST_DAY } from '#core/record/day.ts'
import { TAG_BYTES } from '#core/record/generation.ts'

const AREA = 'ROTATION'
const LABEL = 'salus/rotation/1'

/** The most tags that one rotation retires. */
export const MAX_RETIRED_TAGS = 256

/** The most bytes a rotation may have. */
export const MAX_ROTATION_BYTES: number = MAX_KEY_BUNDLE_BYTES + 20 * MAX_RETIRED_TAGS + 512

/** Highest revision of a rotation: what a node keeps of one patient's rotations is bounded by it. */
export const MAX_ROTATION_REVISION = 16_384

/** Tags that were replaced; nodes refuse new entries under them. */
export interface Rotation {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Counts from 1 for each patient, at most {@link MAX_ROTATION_REVISION}. */
  readonly revision: number
  /** Day on which the tags were replaced, since 1970-01-01 UTC. */
  readonly day: number
  /** Compartment tags, 16 bytes each. */
  readonly retired: readonly Uint8Array[]
}

/** A rotation as read. */
export interface DecodedRotation extends Rotation {
  /** The patient's key bundle, whose digest is on the chain; its signing key signs the rotation. */
  readonly bundle: Uint8Array
  readonly signature: Uint8Array
}

function signedFields({
  network,
  patient,
  revision,
  day,
  retired,
  bundle
}: Omit<DecodedRotation, 'signature'>): Record<string, unknown> {
  return { v: 1, network, patient, revision, day, retired, bundle }
}

/** The bytes of a signed rotation. */
export function signRotation(
  p: Primitives,
  rotation: Rotation,
  keys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
): Uint8Array {
  const fields = signedFields({ ...rotation, bundle: keys.bundleBytes })
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(keys.signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a rotation.
 *
 * @throws SalusError `ROTATION_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeRotation(bytes: Uint8Array, expected: Place = {}): DecodedRotation {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ROTATION_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'patient', 'revision', 'day', 'retired', 'bundle', 'sig'])
  const revision = readUint(map['revision'], AREA, 'revision', MAX_ROTATION_REVISION)
  if (revision === 0) throw new SalusError('ROTATION_SHAPE', 'Refused: revision counts from 1.')
  return {
    ...readPlace(map, AREA, expected),
    revision,
    day: readUint(map['day'], AREA, 'day', LAST_DAY),
    retired: readList(map['retired'], AREA, 'retired', MAX_RETIRED_TAGS, item =>
      readBytes(item, AREA, 'retired', TAG_BYTES)
    ),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
}

/**
 * Tells whether the owner of the bundle signed it. That the bundle is the patient's, the chain says.
 *
 * @throws SalusError `KEY_BUNDLE_*` if the bundle inside is malformed
 */
export function verifyRotation(p: Primitives, rotation: DecodedRotation): boolean {
  const { sign } = decodeKeyBundle(rotation.bundle)
  return p.ed25519Verify(sign, signingInput(LABEL, signedFields(rotation)), rotation.signature)
}
