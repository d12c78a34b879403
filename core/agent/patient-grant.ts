import { domain } from '#core/abi/typed-data/domain.ts'
import { grantTypes } from '#core/abi/typed-data/grants.ts'
import { SalusError } from '#core/error.ts'
import { toHex } from '#core/encoding/bytes.ts'
import type { ChainCall, SigningTarget } from '#core/agent/chain-call.ts'
import { compactSignature } from '#core/agent/compact-signature.ts'
import { capsuleOf, type SingleKeys } from '#core/agent/patient-capsule.ts'
import { currentGeneration, type GivenGrant, type PatientState } from '#core/agent/patient-state.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import {
  decodeGrantDocument,
  encodeGrantDocument,
  grantIdOf,
  grantScope,
  orderedCompartments,
  type DaySpan,
  type GrantDocument
} from '#core/grant/document.ts'
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
  /** Only entries of these days, in the past or to come; absent for what the terms say. */
  readonly days?: DaySpan
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

/** What planning a grant takes: no signature of the wallet. */
export type Planning = Pick<PatientSigning, 'state' | 'keys' | 'target'>

/** A grant ready to go out: the request for the chain, the capsule for the grantee, the state to keep. */
export interface PreparedGrant {
  readonly state: PatientState
  readonly grantId: Uint8Array
  readonly call: ChainCall
  readonly capsuleBytes: Uint8Array
}

/** From the day of `notBefore`, or the beginning with the right to history, to the day of `expiresAt`. */
function spanOf({ rights, notBefore, expiresAt }: Terms): DaySpan {
  return {
    fromDay: (rights & RIGHT_HISTORY) === 0 ? dayOf(notBefore * 1000) : 0,
    toDay: expiresAt === NO_EXPIRY ? LAST_DAY : Math.min(LAST_DAY, dayOf(expiresAt * 1000))
  }
}

/** The days that a grant opens: those it names, which its terms must allow. */
function daysOf(wish: GrantWish): DaySpan {
  const allowed = spanOf(wish)
  const { fromDay, toDay } = wish.days ?? allowed
  if (fromDay <= toDay && fromDay >= allowed.fromDay && toDay <= allowed.toDay) return { fromDay, toDay }
  throw new SalusError(
    'GRANT_DAYS',
    'The days reach beyond what the grant’s terms allow; the past needs the right to history.'
  )
}

/**
 * Plans a grant, continuous or one-time, of one or more compartments, or of a span of days in them; {@link grantCall} asks the
 * chain for it. Keys know no time of day and cannot wait: a grant that reaches back before its beginning can be planned only
 * once it has begun.
 *
 * @throws SalusError `GRANT_HISTORY_EARLY` (the right to history, before `notBefore`), `GRANT_DAYS`, `TERMS_RANGE`, `DAY_RANGE`, `GRANT_SHAPE` (no compartment), `KEY_BUNDLE_*`, `CAPSULE_SUITE`, `CAPSULE_OVERSIZE`
 */
export async function planGrant(p: Primitives, random: Random, by: Planning, wish: GrantWish): Promise<PlannedGrant> {
  return await planOpening(p, random, by, wish, openingOf(by.state, wish))
}

/**
 * What the wish opens: days, and generations.
 *
 * @throws SalusError `GRANT_HISTORY_EARLY`, `GRANT_DAYS`, `DAY_RANGE`
 */
export function openingOf(state: PatientState, wish: GrantWish): Opening {
  const history = (wish.rights & RIGHT_HISTORY) !== 0
  if (history) refuseEarly(wish)
  const firstGeneration = (each: Compartment): number => (history ? 1 : currentGeneration(state, each).number)
  const limits = wish.days == null ? {} : { days: wish.days }
  return { ...daysOf(wish), firstGeneration, limits }
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
  return await prepared(by, await planGrant(p, random, by, wish))
}

/** A planned grant with its signed request. */
export async function prepared(
  by: PatientSigning,
  { state, given, capsuleBytes }: PlannedGrant
): Promise<PreparedGrant> {
  return { state, grantId: given.grantId, call: await grantCall(by, given), capsuleBytes }
}

/** Refuses a grant that opens what is there already, before it begins. */
export function refuseEarly({ notBefore, nowS }: Pick<GrantWish, 'notBefore' | 'nowS'>): void {
  if (notBefore <= nowS) return
  throw new SalusError('GRANT_HISTORY_EARLY', 'A grant of the past opens it at once; prepare it when it begins.')
}

/** What a grant opens. */
export interface Opening extends DaySpan {
  readonly firstGeneration: (compartment: Compartment) => number
  readonly limits: Pick<GrantDocument, 'days' | 'items'>
}

/** Plans a grant whose keys are settled. */
export async function planOpening(
  p: Primitives,
  random: Random,
  by: Planning,
  wish: Omit<GrantWish, 'days'>,
  { single, ...opens }: Opening & { readonly single?: SingleKeys }
): Promise<PlannedGrant> {
  const { state } = by
  const given = givenGrant(random, state, wish, opens)
  return {
    state: { ...state, grants: [...state.grants, given] },
    given,
    capsuleBytes: await capsuleOf(p, random, by, given, single)
  }
}

/**
 * A grant as its patient remembers it, with its document.
 *
 * @throws SalusError `GRANT_SHAPE`, `TERMS_RANGE`
 */
export function givenGrant(
  random: Random,
  { network, patient }: PatientState,
  wish: Omit<GrantWish, 'days'>,
  { fromDay, toDay, limits, firstGeneration }: Opening
): GivenGrant {
  const { grantee, purpose } = wish
  const compartments = orderedCompartments(COMPARTMENTS.filter(each => wish.compartments.includes(each)))
  const salt = random(32)
  const document = encodeGrantDocument({ network, patient, grantee, compartments, purpose, salt, ...limits })
  // What its grantee would refuse is not granted: too many items, or one of them twice.
  decodeGrantDocument(document)
  return {
    grantId: grantIdOf(patient, grantScope(document)),
    document,
    terms: termsBytes(packTerms(wish)),
    bundle: wish.bundle,
    compartments,
    firstGenerations: compartments.map(firstGeneration),
    fromDay,
    toDay,
    capsuleRevision: 1,
    isRevoked: false
  }
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
