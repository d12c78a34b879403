/** Giving and ending access: decided and kept first, then taken to the chain and the network. */
import type { AgentState, PatientAccount } from '#core/agent/agent-state.ts'
import { expectCheckNumber } from '#core/agent/code-text.ts'
import { planGrant, type GrantWish, type PlannedGrant, type Planning } from '#core/agent/patient-grant.ts'
import { planItemGrant, type ItemWish } from '#core/agent/patient-item-grant.ts'
import { planReplacement, planRevocation } from '#core/agent/patient-revocation.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { signAnswerCode } from '#core/grant/answer-code.ts'
import type { DaySpan } from '#core/grant/document.ts'
import { openRequestCode, type RequestCode } from '#core/grant/request-code.ts'
import { NO_EXPIRY, RIGHT_READ } from '#core/grant/terms.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { COMPARTMENTS, type Compartment } from '#core/record/compartment.ts'
import type { Accounts } from '#agent/accounts.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { meetCustodians } from '#agent/custody/custodians.ts'
import { planSharing, usualThreshold, type CustodyChoice } from '#agent/custody/share-grant.ts'
import type { Backups } from '#agent/patient/backups.ts'
import { changePatient } from '#agent/patient/change.ts'
import { checkControl, type Operations, type Progress } from '#agent/patient/operations.ts'
import { isTransient } from '#agent/patient/refusals.ts'
import { withReplacement } from '#agent/patient/replacement.ts'
import { digestOfRequest, refuseAnswered, withoutRequest, withoutStale } from '#agent/patient/requests.ts'

/** What changing access needs. */
export interface GrantComponents extends AgentComponents {
  readonly accounts: Accounts
  readonly operations: Operations
  readonly backups: Backups
}

/** What the patient allows; what is left out is as the request asks. */
export interface GrantChoice {
  readonly compartments?: readonly Compartment[]
  /** Sum of the `RIGHT_` bits. */
  readonly rights?: number
  readonly uses?: number
  /** Seconds since 1970-01-01; now if absent. */
  readonly fromS?: number
  /** Seconds since 1970-01-01; as long as asked if absent. */
  readonly untilS?: number
  readonly purpose?: string
  /** The check number on the asker's screen. */
  readonly check?: string
  /** Only entries of these days. */
  readonly days?: DaySpan
  /** Only these entries, or attributes of them. */
  readonly items?: readonly ItemWish[]
  /** Called with what would be granted, before anything is kept: it throws what speaks against it. */
  readonly judge?: (wish: JudgedWish) => Promise<void>
  /** Gives the keys through custodians, once: their HTTP APIs, and how many must meet. */
  readonly custodians?: readonly string[]
  readonly threshold?: number
}

/** What would be granted, and to whom. */
export type JudgedWish = Pick<GrantWish, 'grantee' | 'compartments' | 'rights' | 'nowS'>

/** A grant on its way. */
export interface GivenAccess {
  readonly grantId: Uint8Array
  /** Bytes of the answer for who asked. */
  readonly answer: Uint8Array
  readonly progress: Progress
}

/** The chain's clock and this one need not agree to the second. */
const BACK_S = 60
/** How long an answer may be shown. */
const ANSWER_VALID_S = 7 * 86_400
/** How long custodians keep a key where the request names no time. */
const KEPT_S = 7 * 86_400

/** A request with what the patient makes of it. */
async function wishOf(
  components: GrantComponents,
  code: Uint8Array,
  choice: GrantChoice
): Promise<{ readonly request: RequestCode; readonly wish: GrantWish }> {
  const { p, clock, deployment } = components
  if (choice.check != null) expectCheckNumber(p, code, choice.check)
  const nowS = secondsOf(clock)
  const request = openRequestCode(p, code, { target: deployment, nowS })
  const fromS = choice.fromS ?? nowS - BACK_S
  const wish: GrantWish = {
    grantee: request.address,
    bundle: request.bundle,
    rights: choice.rights ?? request.rights,
    uses: choice.uses ?? request.uses,
    notBefore: fromS,
    expiresAt: choice.untilS ?? untilOf(request.durationS, nowS, choice.custodians != null),
    compartments: choice.compartments ?? request.compartments,
    purpose: choice.purpose ?? request.purpose,
    nowS,
    ...(choice.days == null ? {} : { days: choice.days })
  }
  await choice.judge?.(wish)
  return { request, wish }
}

async function planned(
  { p, random }: GrantComponents,
  by: Planning,
  { days, compartments, ...wish }: GrantWish,
  items: GrantChoice['items']
): Promise<PlannedGrant> {
  if (items == null) return planGrant(p, random, by, { ...wish, compartments, ...(days == null ? {} : { days }) })
  if (days != null) throw new SalusError('GRANT_ITEMS', 'A grant names days or single entries, not both.')
  // What was asked for may be more: single entries are read, and nothing else.
  return planItemGrant(p, random, by, { ...wish, rights: RIGHT_READ, items })
}

/**
 * What granting a request would come to. Nothing is kept, and nobody learns of it.
 *
 * @throws SalusError as {@link giveAccess}
 */
export async function draftAccess(
  components: GrantComponents,
  code: Uint8Array,
  choice: GrantChoice
): Promise<PlannedGrant['given']> {
  const { wish } = await wishOf(components, code, choice)
  const { account, keys } = await components.accounts.patient()
  const by = { state: account.state, keys, target: components.deployment }
  return (await planned(components, by, wish, choice.items)).given
}

/**
 * Grants what a request asks for, or what the patient makes of it.
 *
 * @throws SalusError `WALLET_NOT_IN_CONTROL`, `REQUEST_CODE_*`, `CODE_SWAPPED`, as `planGrant` and `planItemGrant`, and what
 * `judge` throws; what the chain refuses it with; `GRANT_ITEMS` for days or single entries through custodians, and with them as
 * `meetCustodians` and `planSharing`, and what one of them refuses its share with
 */
export async function giveAccess(
  components: GrantComponents,
  code: Uint8Array,
  choice: GrantChoice
): Promise<GivenAccess> {
  const { p, random, keeper, accounts, operations } = components
  const { request, wish } = await wishOf(components, code, choice)
  const { nowS } = wish
  const { account: before, wallet } = await accounts.patient()
  checkControl(before, wallet)
  refuseAnswered(p, before, code)
  const custody = await custodyOf(components, before, choice)
  await catchUp(components)
  const { keys } = await accounts.patient()
  const id = random(16)
  let grantId = new Uint8Array()
  await changePatient(keeper, async account => {
    refuseAnswered(p, account, code)
    const by = { account, keys }
    const {
      grantId: made,
      state,
      ...outgoing
    } = custody == null
      ? await planCapsule(components, by, wish, choice.items)
      : await planSharing(components, by, wish, custody)
    grantId = Uint8Array.from(made)
    const digest = digestOfRequest(p, code)
    const settled = { digest, notAfterS: request.notAfterS, isAnswered: true }
    return {
      ...account,
      state,
      operations: [...account.operations, { id, kind: 'grant', grantId, ...outgoing }],
      backup: { ...account.backup, isDue: true },
      requests: account.requests.filter(each => toHex(digestOfRequest(p, each.code)) !== toHex(digest)),
      answered: [...withoutStale(account.answered, nowS), settled]
    }
  })
  const { network, patient } = (await accounts.patient()).account.state
  const answer = signAnswerCode(
    p,
    {
      network,
      patient,
      grantId,
      request: digestOfRequest(p, code),
      author: keys.bundle.sign,
      notAfterS: nowS + ANSWER_VALID_S,
      ...(custody == null ? {} : { custodians: custody.custodians.map(({ url }) => url) })
    },
    keys.signSeed
  )
  try {
    return { grantId, answer, progress: await operations.run(id) }
  } catch (error) {
    // Nothing was granted: the same request may be answered yet.
    await changePatient(keeper, account => ({
      ...account,
      answered: withoutRequest(account.answered, digestOfRequest(p, code))
    }))
    throw error
  }
}

/**
 * Grants what nobody asked for now: what the patient has laid down before.
 *
 * @throws SalusError `WALLET_NOT_IN_CONTROL`, as `planGrant`, and what the chain refuses it with
 */
export async function giveUnasked(
  components: GrantComponents,
  wish: GrantWish
): Promise<Pick<GivenAccess, 'grantId' | 'progress'>> {
  const { random, keeper, accounts, operations } = components
  const { account: before, wallet, keys } = await accounts.patient()
  checkControl(before, wallet)
  await catchUp(components)
  const id = random(16)
  let grantId = new Uint8Array()
  await changePatient(keeper, async account => {
    const { grantId: made, state, ...outgoing } = await planCapsule(components, { account, keys }, wish, undefined)
    grantId = Uint8Array.from(made)
    return {
      ...account,
      state,
      operations: [...account.operations, { id, kind: 'grant', grantId, ...outgoing }],
      backup: { ...account.backup, isDue: true }
    }
  })
  return { grantId, progress: await operations.run(id) }
}

async function planCapsule(
  components: GrantComponents,
  { account, keys }: { readonly account: PatientAccount; readonly keys: AgentKeys },
  wish: GrantWish,
  items: GrantChoice['items']
) {
  const { network } = account.state
  const by = { state: account.state, keys, target: components.deployment }
  const { state, given, capsuleBytes: capsule } = await planned(components, by, wish, items)
  return { state, grantId: given.grantId, messages: [encodeMessage({ kind: 'capsule', network, capsule })] }
}

/** The custodians that the patient chose, by their cards; undefined if none. */
async function custodyOf(
  { p }: GrantComponents,
  { state }: PatientAccount,
  { custodians: urls, threshold, days, items }: GrantChoice
): Promise<CustodyChoice | undefined> {
  if (urls == null) return undefined
  if (days != null || items != null) {
    throw new SalusError('GRANT_ITEMS', 'Custodians give whole parts of a record; name no days or single entries.')
  }
  const custodians = await meetCustodians(p, urls, state.network)
  return { custodians, threshold: threshold ?? usualThreshold(custodians.length) }
}

function untilOf(durationS: number, nowS: number, isShared: boolean): number {
  if (durationS > 0) return nowS + durationS
  return isShared ? nowS + KEPT_S : NO_EXPIRY
}

/**
 * Ends a grant and replaces the keys of what it opened.
 *
 * @throws SalusError `WALLET_NOT_IN_CONTROL`, `GRANT_UNKNOWN`, `CAPSULE_OVERSIZE`
 */
export async function endAccess(components: GrantComponents, grantId: Uint8Array): Promise<Progress> {
  const { p, random, clock, deployment, keeper, accounts, operations } = components
  await catchUp(components)
  const { account: before, keys, wallet } = await accounts.patient()
  checkControl(before, wallet)
  const id = random(16)
  await changePatient(keeper, async account => {
    const by = { state: account.state, keys, target: deployment }
    const plan = await planRevocation(p, random, by, { grantId, nowS: secondsOf(clock) })
    return withReplacement(account, plan, { id, kind: 'revoke', grantId })
  })
  return operations.run(id)
}

/**
 * Replaces the keys of compartments, as after the loss of a device.
 *
 * @param also - a change of the state that becomes durable together with it
 */
export async function replaceKeys(
  components: GrantComponents,
  compartments: readonly Compartment[] = COMPARTMENTS,
  also: (state: AgentState) => AgentState = state => state
): Promise<Progress> {
  const { p, random, clock, deployment, keeper, accounts, operations } = components
  const { keys } = await accounts.patient()
  const id = random(16)
  await keeper.update(async before => {
    const state = also(before)
    const { patient } = state
    if (patient == null) return state
    const by = { state: patient.state, keys, target: deployment }
    const plan = await planReplacement(p, random, by, { compartments, nowS: secondsOf(clock) })
    return { ...state, patient: withReplacement(patient, plan, { id, kind: 'replace', grantId: null }) }
  })
  return operations.run(id)
}

/** Learns what other devices did before anything is decided on top of it; without a node, what is known here has to do. */
async function catchUp(components: GrantComponents): Promise<void> {
  const { backups, operations, log } = components
  try {
    const replacement = await backups.pull()
    if (replacement != null) await operations.run(replacement)
  } catch (error) {
    if (!isTransient(error)) throw error
    log.warn({ code: error.code }, 'other devices were not asked')
  }
}
