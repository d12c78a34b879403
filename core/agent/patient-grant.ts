import { domain } from '#core/abi/typed-data/domain.ts'
import { grantTypes } from '#core/abi/typed-data/grants.ts'
import { SalusError } from '#core/error.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { ChainCall, SigningTarget } from '#core/agent/chain-call.ts'
import { compactSignature } from '#core/agent/compact-signature.ts'
import { capsuleOf } from '#core/agent/patient-capsule.ts'
import { currentGeneration, type GivenGrant, type PatientState } from '#core/agent/patient-state.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { encodeGrantDocument, grantIdOf, grantScope, orderedCompartments } from '#core/grant/document.ts'
import { NO_EXPIRY, RIGHT_HISTORY, packTerms, termsBytes, unpackTerms, type Terms } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import type { SignTypedData, TypedData } from '#core/identity/key-binding.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import { LAST_DAY, dayOf } from '#core/record/day.ts'

/** What a patient wants to grant. */
export interface GrantWish extends Terms {
  /** The grantee's key bundle, whose binding to the address the agent has checked. */
  readonly bundle: Uint8Array
  /** In any order. */
  readonly compartments: readonly Compartment[]
  readonly purpose: string
  /** Seconds since 1970-01-01. */
  readonly nowS: number
}

/** Who signs, with what, and until when a relayer may submit the request (seconds since 1970-01-01). */
export interface PatientSigning {
  readonly state: PatientState
  readonly keys: AgentKeys
  readonly target: SigningTarget
  readonly deadlineS: number
  readonly signTypedData: SignTypedData
}

/** A grant whose state is to be kept before anything goes out. */
export interface PlannedGrant {
  readonly state: PatientState
  readonly given: GivenGrant
  readonly capsuleBytes: Uint8Array
}

/** A grant ready to go out: the request for the chain, the capsule for the grantee, the state to keep. */
export interface PreparedGrant {
  readonly state: PatientState
  readonly grantId: Uint8Array
  readonly call: ChainCall
  readonly capsuleBytes: Uint8Array
}

/** From the day of `notBefore`, or the beginning with the right to history, to the day of `expiresAt`. */
function spanOf({ rights, notBefore, expiresAt }: Terms): Pick<GivenGrant, 'fromDay' | 'toDay'> {
  return {
    fromDay: (rights & RIGHT_HISTORY) === 0 ? dayOf(notBefore * 1000) : 0,
    toDay: expiresAt === NO_EXPIRY ? LAST_DAY : Math.min(LAST_DAY, dayOf(expiresAt * 1000))
  }
}

/**
 * Plans a grant, continuous or one-time, of one or more compartments; {@link grantCall} asks the chain for it. Keys know no time
 * of day and cannot wait: a grant that reaches back before its beginning can be planned only once it has begun.
 *
 * @throws SalusError `GRANT_HISTORY_EARLY` (the right to history, before `notBefore`), `TERMS_RANGE`, `DAY_RANGE`, `GRANT_SHAPE`
 * (no compartment), `KEY_BUNDLE_*`, `CAPSULE_SUITE`, `CAPSULE_OVERSIZE`
 */
export async function planGrant(
  p: Primitives,
  random: Random,
  by: Pick<PatientSigning, 'state' | 'keys' | 'target'>,
  wish: GrantWish
): Promise<PlannedGrant> {
  const { state } = by
  const { network, patient } = state
  const compartments = orderedCompartments(COMPARTMENTS.filter(each => wish.compartments.includes(each)))
  const history = (wish.rights & RIGHT_HISTORY) !== 0
  if (history && !(wish.notBefore <= wish.nowS)) {
    throw new SalusError(
      'GRANT_HISTORY_EARLY',
      'A grant with the right to history opens the past at once; prepare it when it begins.'
    )
  }
  const { grantee, purpose } = wish
  const document = encodeGrantDocument({ network, patient, grantee, compartments, purpose, salt: random(32) })
  const given: GivenGrant = {
    grantId: grantIdOf(patient, grantScope(document)),
    document,
    terms: termsBytes(packTerms(wish)),
    bundle: wish.bundle,
    compartments,
    firstGenerations: compartments.map(each => (history ? 1 : currentGeneration(state, each).number)),
    ...spanOf(wish),
    capsuleRevision: 1,
    isRevoked: false
  }
  return {
    state: { ...state, grants: [...state.grants, given] },
    given,
    capsuleBytes: await capsuleOf(p, random, by, given)
  }
}

/**
 * Prepares a grant for the chain and the network in one step.
 *
 * @throws SalusError as {@link planGrant}
 */
export async function prepareGrant(
  p: Primitives,
  random: Random,
  by: PatientSigning,
  wish: GrantWish
): Promise<PreparedGrant> {
  const { state, given, capsuleBytes } = await planGrant(p, random, by, wish)
  return { state, grantId: given.grantId, call: await grantCall(by, given), capsuleBytes }
}

/** The request that opens a planned grant on the chain, signed anew at each call. */
export async function grantCall(by: Omit<PatientSigning, 'keys'>, given: GivenGrant): Promise<ChainCall> {
  const { state, target, deadlineS } = by
  const patient = toHex(state.patient)
  const scope = toHex(grantScope(given.document))
  const { grantee, notBefore, expiresAt, rights, uses } = unpackTerms(BigInt(toHex(given.terms)))
  const typed: TypedData = {
    domain: domain('AccessGrants', target.chainId, target.contracts.AccessGrants.address),
    types: grantTypes,
    value: {
      patient,
      grantee: toHex(grantee),
      notBefore,
      expiresAt,
      rights,
      uses,
      scope,
      epoch: state.epoch,
      deadline: deadlineS
    }
  }
  const signature = await by.signTypedData(typed.domain, typed.types, typed.value)
  const args = [patient, toHex(given.terms), scope, deadlineS]
  const compact = compactSignature(signature, state.signer, typed)
  return compact == null
    ? { contract: 'AccessGrants', method: 'grant', args: [...args, toHex(state.signer), signature] }
    : { contract: 'AccessGrants', method: 'grantWithAccount', args: [...args, ...compact] }
}
