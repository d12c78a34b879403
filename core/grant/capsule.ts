/** The keys of one grant, sealed to the grantee and signed by the patient (docs/specs/capsule.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SUITE_IDS, SUITE_SIZES, hpkeOpen, hpkeSeal, isSuiteId, type SuiteId } from '#core/crypto/hpke.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_KEY_BUNDLE_BYTES, decodeKeyBundle, type KemKey, type KeyBundle } from '#core/identity/key-bundle.ts'
import {
  MAX_CAPSULE_KEYS_BYTES,
  decodeCapsuleContent,
  encodeCapsuleContent,
  type CapsuleContent,
  type EntryKey
} from '#core/grant/capsule-keys.ts'
import { isWithin } from '#core/record/day-tree.ts'
import { decodeGrantDocument, grantIdOf, grantScope, type GrantDocument } from '#core/grant/document.ts'

const AREA = 'CAPSULE'
const LABEL = 'salus/capsule/1'
const INFO = utf8('salus/capsule/1')
const UINT32_MAX = 0xffff_ffff
const GCM_TAG_BYTES = 16
const LARGEST_ENCAPSULATION = 1120

/** The most bytes a capsule may have: it must fit a network message. */
export const MAX_CAPSULE_BYTES: number = MAX_CAPSULE_KEYS_BYTES + MAX_KEY_BUNDLE_BYTES + LARGEST_ENCAPSULATION + 1024

/** The open part of a capsule; all of it is bound to the sealed part. */
export interface CapsuleHeader {
  readonly network: Uint8Array
  /** Address of `AccessGrants`, 20 bytes. */
  readonly contract: Uint8Array
  readonly grantId: Uint8Array
  readonly patient: Uint8Array
  /** Address of the grantee, 20 bytes. */
  readonly grantee: Uint8Array
  /** The grant's terms as on the chain, 32 bytes. */
  readonly terms: Uint8Array
  /** Hash of the grant document, as on the chain. */
  readonly scope: Uint8Array
  /** Counts from 1; rises with each new generation of keys. */
  readonly revision: number
  readonly suite: SuiteId
  /** keccak-256 of the public key it is sealed to, so that a grantee with several finds the right one. */
  readonly kemKey: Uint8Array
}

/** A capsule as it travels. */
export interface Capsule extends CapsuleHeader {
  readonly encapsulation: Uint8Array
  readonly ciphertext: Uint8Array
  /** The patient's key bundle, whose digest is on the chain; its signing key signs the capsule. */
  readonly bundle: Uint8Array
  readonly signature: Uint8Array
}

/** A capsule that was opened and checked. */
export interface OpenedCapsule extends CapsuleContent {
  readonly grant: GrantDocument
}

function headerFields(header: CapsuleHeader): Record<string, unknown> {
  const { network, contract, grantId, patient, grantee, terms, scope, revision, suite, kemKey } = header
  return { v: 1, network, contract, grantId, patient, grantee, terms, scope, revision, suite, kemKey }
}

function signedFields(capsule: Omit<Capsule, 'signature'>): Record<string, unknown> {
  const { encapsulation, ciphertext, bundle } = capsule
  return { ...headerFields(capsule), enc: encapsulation, ct: ciphertext, bundle }
}

/**
 * The key that a capsule for this bundle is sealed to: of the most preferred suite it offers.
 *
 * @throws SalusError `CAPSULE_SUITE` if the bundle has no key of an allowed suite
 */
export function preferredKemKey(bundle: KeyBundle, allowed: readonly SuiteId[] = SUITE_IDS): KemKey {
  for (const suite of allowed) {
    const key = bundle.kem.find(each => each.suite === suite)
    if (key != null) return key
  }
  throw new SalusError('CAPSULE_SUITE', 'The grantee has no encryption key of a suite that may be used.')
}

/**
 * Seals keys to a grantee.
 *
 * @throws SalusError `CAPSULE_OVERSIZE` if there are more keys than a capsule holds, `HPKE_PUBLIC_KEY`
 */
export async function sealCapsule(
  p: Primitives,
  random: Random,
  input: {
    readonly header: Omit<CapsuleHeader, 'suite' | 'kemKey'>
    readonly to: KemKey
    readonly content: CapsuleContent
    readonly patientKeys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
  }
): Promise<Uint8Array> {
  const plaintext = encodeCapsuleContent(input.content)
  if (plaintext.length > MAX_CAPSULE_KEYS_BYTES) {
    throw new SalusError(
      'CAPSULE_OVERSIZE',
      'The grant opens more generations than one capsule holds; split the grant.'
    )
  }
  const header = { ...input.header, suite: input.to.suite, kemKey: keccak_256(input.to.publicKey) }
  const aad = encodeCanonical(headerFields(header))
  const sealed = await hpkeSeal(random, input.to, { info: INFO, aad, plaintext })
  const fields = signedFields({ ...header, ...sealed, bundle: input.patientKeys.bundleBytes })
  const sig = p.ed25519Sign(input.patientKeys.signSeed, signingInput(LABEL, fields))
  return encodeCanonical({ ...fields, sig })
}

/**
 * Reads a capsule without opening it.
 *
 * @throws SalusError `CAPSULE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeCapsule(bytes: Uint8Array, expected: Place = {}): Capsule {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CAPSULE_BYTES })
  readVersion(value, AREA)
  const place = ['v', 'network', 'contract', 'grantId', 'patient', 'grantee', 'terms', 'scope']
  const map = readMap(value, AREA, [...place, 'revision', 'suite', 'kemKey', 'enc', 'ct', 'bundle', 'sig'])
  const suite = readUint(map['suite'], AREA, 'suite', 255)
  if (!isSuiteId(suite)) throw new SalusError('CAPSULE_SHAPE', 'Refused: an encryption suite unknown to this version.')
  const largest = MAX_CAPSULE_KEYS_BYTES + GCM_TAG_BYTES
  return {
    ...readPlace(map, AREA, expected),
    contract: readBytes(map['contract'], AREA, 'contract', 20),
    grantId: readBytes(map['grantId'], AREA, 'grantId', 32),
    grantee: readBytes(map['grantee'], AREA, 'grantee', 20),
    terms: readBytes(map['terms'], AREA, 'terms', 32),
    scope: readBytes(map['scope'], AREA, 'scope', 32),
    revision: readUint(map['revision'], AREA, 'revision', UINT32_MAX),
    suite,
    kemKey: readBytes(map['kemKey'], AREA, 'kemKey', 32),
    encapsulation: readBytes(map['enc'], AREA, 'enc', SUITE_SIZES[suite].encapsulationBytes),
    ciphertext: readBytes(map['ct'], AREA, 'ct', { min: GCM_TAG_BYTES, max: largest }),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
}

/**
 * Tells whether the owner of the capsule's bundle signed it. That the bundle is the patient's, the chain says.
 *
 * @throws SalusError `KEY_BUNDLE_*` if the bundle inside is malformed
 */
export function verifyCapsule(p: Primitives, capsule: Capsule): boolean {
  const { sign } = decodeKeyBundle(capsule.bundle)
  return p.ed25519Verify(sign, signingInput(LABEL, signedFields(capsule)), capsule.signature)
}

/**
 * Opens a capsule as its grantee and checks that what it holds is what its header and the chain say.
 *
 * @throws SalusError `CAPSULE_RECIPIENT` (sealed to none of these keys), `CAPSULE_SCOPE` (the document is not the one that
 * was hashed, or speaks of another grant), `HPKE_OPEN`, `CAPSULE_KEYS_*`, `GRANT_*`
 */
export async function openCapsule(capsule: Capsule, keys: Pick<AgentKeys, 'kemSecrets'>): Promise<OpenedCapsule> {
  const as = keys.kemSecrets.find(
    key => key.suite === capsule.suite && equalBytes(keccak_256(key.publicKey), capsule.kemKey)
  )
  if (as == null) throw new SalusError('CAPSULE_RECIPIENT', 'This capsule is sealed to another key.')
  const aad = encodeCanonical(headerFields(capsule))
  const content = decodeCapsuleContent(await hpkeOpen(as, { ...capsule, info: INFO, aad }))
  const grant = decodeGrantDocument(content.document, capsule)
  const isOfThisGrant =
    equalBytes(grantScope(content.document), capsule.scope) &&
    equalBytes(grantIdOf(capsule.patient, capsule.scope), capsule.grantId) &&
    equalBytes(grant.grantee, capsule.grantee) &&
    isWithinGrant(content, grant)
  if (!isOfThisGrant)
    throw new SalusError('CAPSULE_SCOPE', 'Refused: the capsule holds other keys than its grant says.')
  return { ...content, grant }
}

/** Whether the keys open nothing but what the document names. */
function isWithinGrant({ keys, entries = [], attributes = [] }: CapsuleContent, grant: GrantDocument): boolean {
  const { compartments, items, days } = grant
  if (![...keys, ...entries, ...attributes].every(each => compartments.includes(each.compartment))) return false
  const pathsOf = (name: EntryKey['name']): readonly string[] | undefined =>
    items?.find(item => item.name.equals(name))?.paths
  return (
    (items == null || keys.length === 0) &&
    (days == null || keys.every(({ cover }) => isWithin(cover, days.fromDay, days.toDay))) &&
    entries.every(({ name }) => pathsOf(name)?.length === 0) &&
    attributes.every(({ name, path }) => pathsOf(name)?.includes(path) === true)
  )
}
