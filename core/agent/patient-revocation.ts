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

/** A revocation ready to go out. */
export interface PreparedRevocation {
  readonly state: PatientState
  readonly call: ChainCall
  /** For the network: the replaced tags. */
  readonly rotationBytes: Uint8Array
  /** For the other live grants of the same compartments: the new keys. */
  readonly capsules: readonly ReissuedCapsule[]
}

/**
 * Prepares the end of a grant: a revocation for the chain, and a new generation for every compartment it opened, handed to
 * all other live grants of those compartments. What the grantee could read before it can still read; nothing newer.
 *
 * @param wish - `nowS`: seconds since 1970-01-01; grants that have expired by then get no new keys
 * @throws SalusError `GRANT_UNKNOWN` if the patient gave no such grant, or has revoked it; `CAPSULE_OVERSIZE`
 */
export async function prepareRevocation(
  p: Primitives,
  random: Random,
  by: PatientSigning,
  wish: { readonly grantId: Uint8Array; readonly nowS: number }
): Promise<PreparedRevocation> {
  const revoked = by.state.grants.find(({ grantId, isRevoked }) => !isRevoked && equalBytes(grantId, wish.grantId))
  if (revoked == null) throw new SalusError('GRANT_UNKNOWN', 'There is no such grant, or it is revoked already.')

  // Keys of single entries open nothing that is still to come: there is nothing to replace.
  const opened = opensCompartments(revoked) ? revoked.compartments : []
  const retired = opened.map(each => compartmentTag(p, currentGeneration(by.state, each).key, each))
  const concerned = by.state.grants.filter(grant => isConcerned(grant, revoked, wish.nowS))
  const state: PatientState = {
    ...by.state,
    generations: replaceGenerations(random, by.state, opened, dayOf(wish.nowS * 1000)),
    grants: by.state.grants.map(grant => {
      if (grant === revoked) return { ...grant, isRevoked: true }
      return concerned.includes(grant) ? { ...grant, capsuleRevision: grant.capsuleRevision + 1 } : grant
    }),
    rotationRevision: by.state.rotationRevision + 1
  }

  const { network, patient, rotationRevision: revision } = state
  const day = dayOf(wish.nowS * 1000)
  const capsules: ReissuedCapsule[] = []
  for (const { grantId } of concerned) {
    const grant = state.grants.find(each => equalBytes(each.grantId, grantId))
    if (grant != null) capsules.push({ grantId, capsuleBytes: await capsuleOf(p, random, { ...by, state }, grant) })
  }
  return {
    state,
    call: await revocationCall(by, revoked),
    rotationBytes: signRotation(p, { network, patient, revision, day, retired }, by.keys),
    capsules
  }
}

function isConcerned(grant: GivenGrant, revoked: GivenGrant, nowS: number): boolean {
  const both = opensCompartments(grant) && opensCompartments(revoked)
  const shares = both && grant.compartments.some(each => revoked.compartments.includes(each))
  const { expiresAt } = unpackTerms(BigInt(toHex(grant.terms)))
  return grant !== revoked && !grant.isRevoked && shares && expiresAt > nowS
}

/** Whether a grant holds keys of days, and not only of the entries that it names. */
function opensCompartments({ document }: GivenGrant): boolean {
  return decodeGrantDocument(document).items == null
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
    generations[compartment] = [...generations[compartment].slice(0, -1), { ...current, retiredDay }, next]
  }
  return generations
}

async function revocationCall(by: PatientSigning, revoked: GivenGrant): Promise<ChainCall> {
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
