/** What an agent verifies a log by: the chain's word, and what its own keys tell of tags (docs/specs/log.md). */
import type { GranteeState } from '#core/agent/grantee-state.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import type { RecordOnChain } from '#core/agent/record-on-chain.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import type { CapsuleKey } from '#core/grant/capsule-keys.ts'
import { decodeRotation, verifyRotation } from '#core/grant/rotation.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { LogFacts } from '#core/log/facts.ts'
import { DAY_S } from '#core/network/author-right.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { compartmentTag } from '#core/record/generation.ts'

/** What is known of the chain and of the patient's rotations. */
export interface KnownOfChain {
  readonly record: RecordOnChain
  /** Time of the newest block that was followed, seconds since 1970-01-01. */
  readonly blockTimeS: number
  /** Bytes of rotations as nodes hand them out, in any order, good or bad. */
  readonly rotations: readonly Uint8Array[]
}

/** The facts that a patient's agent has. */
export function patientLogFacts(p: Primitives, state: PatientState, known: KnownOfChain): LogFacts {
  const places = new Map<string, { compartment: Compartment; generation: number }>()
  for (const compartment of COMPARTMENTS) {
    for (const { key, number } of state.generations[compartment]) {
      places.set(toHex(compartmentTag(p, key, compartment)), { compartment, generation: number })
    }
  }
  return { ...chainFacts(p, known), known: state.grants, placeOf: tag => places.get(tag) }
}

/** The facts that a grantee's agent has of one patient: its keys tell the tags of its own grants only. */
export function granteeLogFacts(p: Primitives, state: GranteeState, known: KnownOfChain): LogFacts {
  const { patient } = known.record
  const grants = state.grants.filter(grant => equalBytes(grant.patient, patient))
  const places = new Map<string, CapsuleKey>(grants.flatMap(({ keys }) => keys.map(key => [toHex(key.tag), key])))
  return { ...chainFacts(p, known), known: grants, placeOf: tag => places.get(tag) }
}

function chainFacts(p: Primitives, { record, blockTimeS, rotations }: KnownOfChain): LogFacts {
  return { record, blockTimeS, retired: retiredTags(p, rotations, record) }
}

/** The day on which each tag was replaced, the earliest of several, by rotations that the patient signed. */
function retiredTags(p: Primitives, rotations: readonly Uint8Array[], record: RecordOnChain): Map<string, number> {
  const retired = new Map<string, number>()
  for (const bytes of rotations) {
    for (const [tag, day] of retiredBy(p, bytes, record)) {
      retired.set(tag, Math.min(day, retired.get(tag) ?? Number.POSITIVE_INFINITY))
    }
  }
  return retired
}

/** The tags, hexadecimal, that a rotation retires, and the day; nothing if it is not this patient's, whatever else it is. */
export function retiredBy(p: Primitives, bytes: Uint8Array, record: RecordOnChain): [string, number][] {
  try {
    const rotation = decodeRotation(bytes, { patient: record.patient })
    const digest = keyBundleDigest(rotation.bundle)
    const isPatients = record.keyBundles.some(
      each =>
        equalBytes(each.digest, digest) && (each.replacedAtS == null || (rotation.day - 1) * DAY_S <= each.replacedAtS)
    )
    if (!isPatients || !verifyRotation(p, rotation)) return []
    return rotation.retired.map(tag => [toHex(tag), rotation.day])
  } catch (error) {
    if (isSalusError(error)) return []
    throw error
  }
}
