/** What a patient's agent keeps: plain data, secret (docs/specs/agent-state.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { GuardianPlan } from '#core/agent/guardian-plan.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { SalusError } from '#core/error.ts'
import { concat } from '#core/encoding/bytes.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { nextGeneration, type Generation } from '#core/record/generation.ts'
import type { SigningTarget } from '#core/agent/chain-call.ts'

/** A generation with the day it was replaced; null for the one in use. */
export interface KeptGeneration extends Generation {
  readonly retiredDay: number | null
}

/** A grant as its patient remembers it. */
export interface GivenGrant {
  readonly grantId: Uint8Array
  /** Canonical bytes of the grant document. */
  readonly document: Uint8Array
  /** As on the chain when granted, 32 bytes. */
  readonly terms: Uint8Array
  /** The grantee's key bundle, to which capsules are sealed. */
  readonly bundle: Uint8Array
  readonly compartments: readonly Compartment[]
  /** The first generation that the grant opens, by compartment, in the same order. */
  readonly firstGenerations: readonly number[]
  readonly fromDay: number
  readonly toDay: number
  /** Revision of the newest capsule. */
  readonly capsuleRevision: number
  readonly isRevoked: boolean
  /**
   * Of a one-time grant whose keys only custodians give (docs/specs/custody.md): it never has a capsule. `outdated` once keys were replaced
   * that it opens: what is written since then, its custodians do not open. Absent of all other grants.
   */
  readonly custody?: CustodyState
  /** HTTP APIs of its custodians; there with `custody` only. */
  readonly custodians?: readonly string[]
}

/** See {@link GivenGrant}. */
export type CustodyState = 'shared' | 'outdated'

/** Everything of one patient. */
export interface PatientState {
  readonly network: Uint8Array
  /** Pseudonym on the chain, 32 bytes. */
  readonly patient: Uint8Array
  /** Salt of the pseudonym, 32 bytes. */
  readonly salt: Uint8Array
  /** Address of the wallet that controls the record, 20 bytes. */
  readonly signer: Uint8Array
  /** Root of the agent's keys, 32 bytes. */
  readonly seed: Uint8Array
  /** As `AccessGrants` counts the changes of signer. */
  readonly epoch: number
  /** Generations by compartment, oldest first. */
  readonly generations: Readonly<Record<Compartment, readonly KeptGeneration[]>>
  readonly grants: readonly GivenGrant[]
  readonly rotationRevision: number
  /** Absent until guardians were named. */
  readonly guardians?: GuardianPlan
}

/** A new patient: fresh seed, pseudonym and first generations. Nobody knows of it until it is registered. */
export function createPatient(random: Random, target: SigningTarget, signer: Uint8Array): PatientState {
  const salt = random(32)
  const generations: Partial<Record<Compartment, KeptGeneration[]>> = {}
  for (const each of COMPARTMENTS) generations[each] = [{ ...nextGeneration(random), retiredDay: null }]
  return {
    network: networkIdOf(target.chainId, target.contracts.AccessGrants.address),
    patient: keccak_256(concat(keccak_256(signer), salt)),
    salt,
    signer,
    seed: random(32),
    epoch: 0,
    generations: generations as Record<Compartment, KeptGeneration[]>,
    grants: [],
    rotationRevision: 0
  }
}

/**
 * The generation of a compartment that is in use.
 *
 * @throws SalusError `PATIENT_STATE_SHAPE` if there is none
 */
export function currentGeneration(state: PatientState, compartment: Compartment): KeptGeneration {
  const current = state.generations[compartment].at(-1)
  if (current == null) throw new SalusError('PATIENT_STATE_SHAPE', 'The agent’s state lacks keys; restore a backup.')
  return current
}
