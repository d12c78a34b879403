/** What the agent of a clinician or a gateway keeps: plain data, secret (docs/specs/agent-state.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeCapsule, openCapsule, verifyCapsule } from '#core/grant/capsule.ts'
import { grantIdOf } from '#core/grant/document.ts'
import {
  decodeCapsuleContent,
  encodeCapsuleContent,
  type AttributeKey,
  type CapsuleKey,
  type EntryKey
} from '#core/grant/capsule-keys.ts'
import { RIGHT_HISTORY, RIGHT_READ, unpackTerms } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { advanceCover } from '#core/record/day-tree.ts'

const AREA = 'GRANTEE_STATE'
const MAX_STATE_BYTES = 67_108_864
const MAX_GRANTS = 65_536
const UINT32_MAX = 0xffff_ffff

/** One grant with its keys. */
export interface HeldGrant {
  readonly grantId: Uint8Array
  readonly patient: Uint8Array
  /** Sum of the `RIGHT_` bits. */
  readonly rights: number
  /** Revision of the capsule these keys came in. */
  readonly revision: number
  readonly document: Uint8Array
  readonly keys: readonly CapsuleKey[]
  /** Of a grant of single entries. */
  readonly entries?: readonly EntryKey[]
  /** Of a grant of single attributes. */
  readonly attributes?: readonly AttributeKey[]
}

/** The grants of one person or gateway. */
export interface GranteeState {
  readonly network: Uint8Array
  /** Address that grants are made to, 20 bytes. */
  readonly address: Uint8Array
  readonly grants: readonly HeldGrant[]
}

/** What the chain says of a capsule's grant and patient. */
export interface CapsuleOnChain {
  readonly terms: bigint
  /** Digest of the patient's key bundle, 32 bytes. */
  readonly keyBundle: Uint8Array
}

/** A grantee without grants. */
export function createGrantee(network: Uint8Array, address: Uint8Array): GranteeState {
  return { network, address, grants: [] }
}

/**
 * Opens a capsule and keeps its keys in place of those of the grant's earlier capsules.
 *
 * @param onChain - what the chain says of the grant: the capsule's own word, and a node's, prove nothing
 * @throws SalusError `CAPSULE_ADDRESS` (for another grantee), `CAPSULE_SIGNATURE`, `CAPSULE_CHAIN` (differs from the chain),
 * `CAPSULE_STALE` (a newer one is held), and as `decodeCapsule` and `openCapsule`
 */
export async function acceptCapsule(
  p: Primitives,
  state: GranteeState,
  keys: Pick<AgentKeys, 'kemSecrets'>,
  capsuleBytes: Uint8Array,
  onChain: CapsuleOnChain
): Promise<GranteeState> {
  const capsule = decodeCapsule(capsuleBytes, { network: state.network })
  const { grantId, patient, revision } = capsule
  refuseUnless(equalBytes(capsule.grantee, state.address), 'CAPSULE_ADDRESS', 'the capsule is for another grantee')
  refuseUnless(verifyCapsule(p, capsule), 'CAPSULE_SIGNATURE', 'the patient’s signature does not match')
  const terms = unpackTerms(BigInt(toHex(capsule.terms)))
  const agrees =
    termsButUses(onChain.terms) === termsButUses(BigInt(toHex(capsule.terms))) &&
    equalBytes(grantIdOf(patient, capsule.scope), grantId) &&
    equalBytes(onChain.keyBundle, keccak_256(capsule.bundle))
  refuseUnless(agrees, 'CAPSULE_CHAIN', 'the capsule is not what the chain says of this grant')
  const held = state.grants.find(grant => equalBytes(grant.grantId, grantId))
  refuseUnless(held == null || held.revision < revision, 'CAPSULE_STALE', 'newer keys of this grant are held already')

  const opened = await openCapsule(capsule, keys)
  const single = {
    ...(opened.entries == null ? {} : { entries: opened.entries }),
    ...(opened.attributes == null ? {} : { attributes: opened.attributes })
  }
  const { document } = opened
  const grant = { grantId, patient, rights: terms.rights, revision, document, keys: opened.keys, ...single }
  return { ...state, grants: [...state.grants.filter(each => each !== held), grant] }
}

/**
 * Deletes the keys of days before `day` from all grants that only write: a stolen gateway opens nothing old. The caller
 * overwrites the state it kept before.
 */
export function advanceDays(p: Primitives, state: GranteeState, day: number): GranteeState {
  const grants = state.grants.map(grant => {
    if ((grant.rights & (RIGHT_READ | RIGHT_HISTORY)) !== 0) return grant
    const keys = grant.keys
      .map(key => ({ ...key, cover: advanceCover(p, key.cover, day) }))
      .filter(({ cover }) => cover.length > 0)
    return { ...grant, keys }
  })
  return { ...state, grants }
}

/** The bytes to keep. They hold keys: encrypt them at rest. */
export function encodeGranteeState({ network, address, grants }: GranteeState): Uint8Array {
  const items = grants.map(({ grantId, patient, rights, revision, ...content }) => ({
    grantId,
    patient,
    rights,
    revision,
    content: encodeCapsuleContent(content)
  }))
  return encodeCanonical({ v: 1, network, address, grants: items })
}

/**
 * Reads back what {@link encodeGranteeState} gave.
 *
 * @throws SalusError `GRANTEE_STATE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `CAPSULE_KEYS_*`
 */
export function decodeGranteeState(bytes: Uint8Array): GranteeState {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'address', 'grants'])
  return {
    network: readBytes(map['network'], AREA, 'network', 32),
    address: readBytes(map['address'], AREA, 'address', 20),
    grants: readList(map['grants'], AREA, 'grants', MAX_GRANTS, readGrant)
  }
}

function readGrant(value: unknown): HeldGrant {
  const map = readMap(value, AREA, ['grantId', 'patient', 'rights', 'revision', 'content'])
  return {
    grantId: readBytes(map['grantId'], AREA, 'grantId', 32),
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    rights: readUint(map['rights'], AREA, 'rights', 255),
    revision: readUint(map['revision'], AREA, 'revision', UINT32_MAX),
    ...decodeCapsuleContent(readBytes(map['content'], AREA, 'content', { min: 1, max: MAX_STATE_BYTES }))
  }
}

/** Uses are counted down on the chain; the rest of the terms never changes. */
function termsButUses(terms: bigint): bigint {
  return terms & (2n ** 248n - 1n)
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
