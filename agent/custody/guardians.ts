/** The patient's side of guardians: shares of the seed are made, handed over, confirmed, and only then named to the chain. */
import type { GuardianPlan } from '#core/agent/guardian-plan.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { readConfirmation } from '#core/custody/confirmation.ts'
import { readGuardianCard } from '#core/custody/guardian-card.ts'
import { RECOVERY_DELAY_S, vetoRecoveryCall } from '#core/custody/guardian-calls.ts'
import { splitSeed, type Guardian } from '#core/custody/guardians.ts'
import { decodeSealedShare } from '#core/custody/sealed-share.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { keyBindingDomain } from '#core/identity/key-binding.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import type { Agent } from '#agent/agent.ts'
import { secondsOf } from '#agent/components.ts'
import { relay } from '#agent/network/record.ts'
import { changePatient } from '#agent/patient/change.ts'
import { checkControl, type Progress } from '#agent/patient/operations.ts'

const DEADLINE_S = 3600

/** The guardians, and whether the chain knows them. */
export interface GuardianStatus {
  readonly plan: GuardianPlan
  /** Whether a recovery by them would be taken. */
  readonly isActive: boolean
  /** When a recovery that is under way may be completed, seconds since 1970-01-01; null if none is. */
  readonly recoveryReadyAtS: number | null
}

/**
 * Shares the seed out among guardians. Nothing goes to the chain before enough of them have confirmed their shares.
 *
 * @returns the plan, whose sealed shares are to be handed to the guardians
 * @throws SalusError `GUARDIAN_CARD_*`, `BINDING_*`, `GUARDIANS_TWICE`, `SHARES_RANGE`, `WALLET_NOT_IN_CONTROL`
 */
export async function nameGuardians(
  agent: Agent,
  cards: readonly Uint8Array[],
  { threshold, delayS = RECOVERY_DELAY_S }: { readonly threshold: number; readonly delayS?: number | undefined }
): Promise<GuardianPlan> {
  const { clock, deployment, keeper } = agent
  const { network } = keeper.state()
  const bindings = keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address)
  const guardians = cards.map(card => readGuardianCard(card, { network, bindings, nowS: secondsOf(clock) }))
  if (new Set(guardians.map(({ address }) => toHex(address))).size < guardians.length) {
    throw new SalusError('GUARDIANS_TWICE', 'Each guardian counts once; name others.')
  }
  return await shareSeed(agent, guardians, { threshold, delayS })
}

/**
 * Shares the seed out anew among the same guardians: shares from before open nothing together with new ones.
 *
 * @throws SalusError `GUARDIANS_NONE`, and as {@link nameGuardians}
 */
export async function refreshGuardians(agent: Agent): Promise<GuardianPlan> {
  const { account } = await agent.accounts.patient()
  const { guardians: plan } = account.state
  if (plan == null) throw noGuardians()
  return await shareSeed(agent, plan.guardians, plan)
}

async function shareSeed(
  { p, random, keeper, accounts, operations }: Agent,
  guardians: readonly Guardian[],
  { threshold, delayS }: { readonly threshold: number; readonly delayS: number }
): Promise<GuardianPlan> {
  const { account: before, keys, wallet } = await accounts.patient()
  checkControl(before, wallet)
  let made: GuardianPlan | undefined
  await changePatient(keeper, async account => {
    const { state } = account
    const revision = (state.guardians?.revision ?? 0) + 1
    const tools = { p, random, sharing: auditedSharing }
    const { shares, tree } = await splitSeed(tools, { state, keys }, guardians, { threshold, revision })
    const kept = guardians.flatMap(({ address, bundle }, i) => {
      const sealed = shares[i]
      return sealed == null ? [] : [{ address, bundle, sealed, isConfirmed: false }]
    })
    made = { revision, threshold, delayS, root: tree.root, guardians: kept }
    return { ...account, state: { ...state, guardians: made }, backup: { ...account.backup, isDue: true } }
  })
  // The revision is used up: whoever recovers must not share out under it once more.
  await operations.resume()
  if (made == null) throw noGuardians()
  return made
}

/**
 * Takes a guardian's confirmation. With that of as many as have to meet, the chain is told of the guardians.
 *
 * @returns how the request to the chain stands; undefined while it waits for more confirmations
 * @throws SalusError `GUARDIANS_NONE`, `SHARE_CONFIRMATION_*`
 */
export async function confirmGuardian(agent: Agent, confirmation: Uint8Array): Promise<Progress | undefined> {
  const { p, random, keeper, operations, chain } = agent
  const id = random(16)
  const { account: before } = await agent.accounts.patient()
  const { root } = await chain.guardiansOf(before.state.patient)
  let isDue = false as boolean
  await changePatient(keeper, account => {
    const { guardians: plan } = account.state
    if (plan == null) throw noGuardians()
    const index = plan.guardians.findIndex(({ sealed, bundle }, i) => {
      const expected = {
        planBytes: decodeSealedShare(sealed).plan.bytes,
        index: i,
        keeper: decodeKeyBundle(bundle).sign
      }
      return isConfirmedBy(() => readConfirmation(p, confirmation, expected))
    })
    if (index < 0) {
      throw new SalusError(
        'SHARE_CONFIRMATION_OTHER',
        'Refused: this confirms another share, or another keeper gave it.'
      )
    }
    const guardians = plan.guardians.map((each, i) => (i === index ? { ...each, isConfirmed: true } : each))
    const confirmed = guardians.filter(({ isConfirmed }) => isConfirmed).length
    const isUnderWay = account.operations.some(({ kind }) => kind === 'guardians')
    isDue = confirmed >= plan.threshold && !equalBytes(root, plan.root) && !isUnderWay
    const more = isDue ? [{ id, kind: 'guardians' as const, grantId: null, messages: [] }] : []
    return {
      ...account,
      state: { ...account.state, guardians: { ...plan, guardians } },
      operations: [...account.operations, ...more],
      backup: { ...account.backup, isDue: true }
    }
  })
  return isDue ? await operations.run(id) : undefined
}

function isConfirmedBy(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (isSalusError(error, 'SHARE_CONFIRMATION_OTHER')) return false
    throw error
  }
}

/** The guardians as they stand; undefined if none were named. */
export async function guardianStatus({ accounts, chain }: Agent): Promise<GuardianStatus | undefined> {
  const { account } = await accounts.patient()
  const { guardians: plan, patient } = account.state
  if (plan == null) return undefined
  const { root } = await chain.guardiansOf(patient)
  const readyAtS = await chain.recoveryReadyAtS(patient)
  return { plan, isActive: equalBytes(root, plan.root), recoveryReadyAtS: readyAtS ?? null }
}

/**
 * Stops a recovery that the patient did not ask for.
 *
 * @throws SalusError `WALLET_NOT_IN_CONTROL`, `CHAIN_RECOVERY_NOT_OPEN`
 */
export async function vetoRecovery({ accounts, chain, clock, deployment: target, node }: Agent): Promise<void> {
  const { account, wallet } = await accounts.patient()
  checkControl(account, wallet)
  const { patient, signer } = account.state
  const { signTypedData } = wallet
  const deadlineS = secondsOf(clock) + DEADLINE_S
  await relay(
    node,
    await vetoRecoveryCall({ target, patient, nonce: await chain.nonceOf(patient), deadlineS, signTypedData }, signer)
  )
}

function noGuardians(): SalusError {
  return new SalusError('GUARDIANS_NONE', 'There are no guardians; name at least two.')
}
