import { domain } from '#core/abi/typed-data/domain.ts'
import { revocationTypes } from '#core/abi/typed-data/grants.ts'
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import type { ChainCall } from '#core/agent/chain-call.ts'
import { capsuleOf } from '#core/agent/patient-capsule.ts'
import type { PatientSigning } from '#core/agent/patient-grant.ts'
import {
  currentGeneration,
  type GivenGrant,
  type KeptGeneration,
  type PatientState
} from '#core/agent/patient-state.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { decodeGrantDocument, grantScope } from '#core/grant/document.ts'
import { signRotation } from '#core/grant/rotation.ts'
import { unpackTerms } from '#core/grant/terms.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { dayOf } from '#core/record/day.ts'
import { compartmentTag, nextGeneration } from '#core/record/generation.ts'

/** A capsule for one of those who remain. */
export interface ReissuedCapsule {
  readonly grantId: Uint8Array
  readonly capsuleBytes: Uint8Array
}

/** A replacement of generations whose state is to be kept before anything goes out. */
export interface PlannedReplacement {
  readonly state: PatientState
  /** For the network: the replaced tags. */
  readonly rotationBytes: Uint8Array
  /** For the live grants of the same compartments: the new keys. */
  readonly capsules: readonly ReissuedCapsule[]
}

/** A revocation ready to go out. */
export interface PreparedRevocation extends PlannedReplacement {
  readonly call: ChainCall
}

/** Who signs what the network gets. */
type Sealing = Pick<PatientSigning, 'state' | 'keys' | 'target'>

/**
 * Replaces the generations of compartments and hands the new keys to all live grants of them: after a device was lost, an
 * emergency ended, or two devices replaced the same generation at once. A grant whose keys are with custodians gets none: its state
 * says that it is outdated.
 *
 * @param wish - `nowS`: seconds since 1970-01-01; grants that have expired by then get no new keys
 * @throws SalusError `CAPSULE_OVERSIZE`
 */
export async function planReplacement(
  p: Primitives,
  random: Random,
  by: Sealing,
  wish: { readonly compartments: readonly Compartment[]; readonly nowS: number }
): Promise<PlannedReplacement> {
  const { compartments, nowS } = wish
  const retired = compartments.flatMap(each =>
    by.state.generations[each].filter(isInUse).map(({ key }) => compartmentTag(p, key, each))
  )
  const concerned = by.state.grants.filter(grant => isConcerned(grant, compartments, nowS))
  const day = dayOf(nowS * 1000)
  const state: PatientState = {
    ...by.state,
    generations: replaceGenerations(random, by.state, compartments, day),
    grants: by.state.grants.map(grant => (concerned.includes(grant) ? afterReplacement(grant) : grant)),
    rotationRevision: by.state.rotationRevision + 1
  }
  const { network, patient, rotationRevision: revision } = state
  const capsules: ReissuedCapsule[] = []
  for (const { grantId } of concerned) {
    const grant = state.grants.find(each => equalBytes(each.grantId, grantId))
    if (grant != null && grant.custody == null)
      capsules.push({ grantId, capsuleBytes: await capsuleOf(p, random, { ...by, state }, grant) })
  }
  return { state, rotationBytes: signRotation(p, { network, patient, revision, day, retired }, by.keys), capsules }
}

/**
 * Plans the end of a grant; {@link revocationCall} tells the chain. What the grantee could read before it can still read;
 * nothing newer, for every compartment that it opened gets a new generation, handed to all other live grants.
 *
 * @param wish - `nowS`: seconds since 1970-01-01; grants that have expired by then get no new keys
 * @throws SalusError `GRANT_UNKNOWN` if the patient gave no such grant, or has revoked it; `CAPSULE_OVERSIZE`
 */
export async function planRevocation(
  p: Primitives,
  random: Random,
  by: Sealing,
  wish: { readonly grantId: Uint8Array; readonly nowS: number }
): Promise<PlannedReplacement & { readonly revoked: GivenGrant }> {
  const revoked = by.state.grants.find(({ grantId, isRevoked }) => !isRevoked && equalBytes(grantId, wish.grantId))
  if (revoked == null) throw new SalusError('GRANT_UNKNOWN', 'There is no such grant, or it is revoked already.')
  const grants = by.state.grants.map(grant => (grant === revoked ? { ...grant, isRevoked: true } : grant))
  const without = { ...by, state: { ...by.state, grants } }
  // Keys of single entries open nothing that is still to come: there is nothing to replace.
  const compartments = opensCompartments(revoked) ? revoked.compartments : []
  return { ...(await planReplacement(p, random, without, { compartments, nowS: wish.nowS })), revoked }
}

/**
 * Prepares the end of a grant for the chain and the network in one step.
 *
 * @throws SalusError as {@link planRevocation}
 */
export async function prepareRevocation(
  p: Primitives,
  random: Random,
  by: PatientSigning,
  wish: { readonly grantId: Uint8Array; readonly nowS: number }
): Promise<PreparedRevocation> {
  const { revoked, ...planned } = await planRevocation(p, random, by, wish)
  return { ...planned, call: await revocationCall(by, revoked) }
}

/** A live grant after its keys were replaced: a new capsule is due, or its custodians' shares open nothing from now on. */
function afterReplacement(grant: GivenGrant): GivenGrant {
  if (grant.custody != null) return { ...grant, custody: 'outdated' }
  return { ...grant, capsuleRevision: grant.capsuleRevision + 1 }
}

/** One generation of a compartment, or two, where two devices replaced the one before at once. */
function isInUse({ retiredDay }: KeptGeneration): boolean {
  return retiredDay == null
}

/** Whether a grant holds keys of days, and not only of the entries that it names. */
function opensCompartments({ document }: GivenGrant): boolean {
  return decodeGrantDocument(document).items == null
}

function isConcerned(grant: GivenGrant, replaced: readonly Compartment[], nowS: number): boolean {
  const shares = opensCompartments(grant) && grant.compartments.some(each => replaced.includes(each))
  const { expiresAt } = unpackTerms(BigInt(toHex(grant.terms)))
  return !grant.isRevoked && shares && expiresAt > nowS
}

function replaceGenerations(
  random: Random,
  state: PatientState,
  compartments: readonly Compartment[],
  retiredDay: number
): PatientState['generations'] {
  const generations: Record<Compartment, readonly KeptGeneration[]> = { ...state.generations }
  for (const compartment of compartments) {
    const current = currentGeneration(state, compartment)
    const next = { ...nextGeneration(random, current), retiredDay: null }
    const past = generations[compartment].map(each => (isInUse(each) ? { ...each, retiredDay } : each))
    generations[compartment] = [...past, next]
  }
  return generations
}

/** The request that ends a grant on the chain, signed anew at each call. */
export async function revocationCall(by: Omit<PatientSigning, 'keys'>, revoked: GivenGrant): Promise<ChainCall> {
  const { state, target, deadlineS } = by
  const patient = toHex(state.patient)
  const scope = toHex(grantScope(revoked.document))
  const signature = await by.signTypedData(
    domain('AccessGrants', target.chainId, target.contracts.AccessGrants.address),
    revocationTypes,
    { patient, scope, deadline: deadlineS }
  )
  return {
    contract: 'AccessGrants',
    method: 'revoke',
    args: [patient, scope, deadlineS, toHex(state.signer), signature]
  }
}
