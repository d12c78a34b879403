/** A new device that gets a patient's record back from its guardians: asks, recovers on the chain, collects shares. */
import type { AgentState, RecoveryAttempt } from '#core/agent/agent-state.ts'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { auditedSharing } from '#core/crypto/secret-sharing.ts'
import { decodeApproval } from '#core/custody/approval.ts'
import { combineReleases, type Combined } from '#core/custody/combine.ts'
import { completeRecoveryCall, openRecoveryCall, signRecovery } from '#core/custody/guardian-calls.ts'
import { requirePatientsPlan, requireSeedOf } from '#core/custody/guardians.ts'
import { decodeSharePlan, verifySharePlan, type DecodedSharePlan } from '#core/custody/plan.ts'
import { RECOVERY_REQUEST_TAIL_S, encodeRecoveryRequest, recoveryDeadlineS } from '#core/custody/recovery.ts'
import { decodeCustodyAnswer } from '#core/custody/release-request.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import type { Agent } from '#agent/agent.ts'
import { secondsOf } from '#agent/components.ts'
import { relay } from '#agent/network/record.ts'
import { recoverPatientAccount } from '#agent/patient/account.ts'
import { openWallet } from '#agent/vault/wallet.ts'

/** The approvals hold for 29 days, and the keys for 30 more: as long as the chain's delay may be. */
const REQUEST_VALID_S: number = 29 * 86_400 + RECOVERY_REQUEST_TAIL_S

/**
 * Begins: a new wallet, and keys that it binds to itself, for whoever recovers this patient.
 *
 * @returns the request that every guardian gets; the same one when asked again
 * @throws SalusError `AGENT_HAS_PATIENT`, `RECOVERY_OTHER` (one of another patient is under way)
 */
export async function beginRecovery(agent: Agent, patient: Uint8Array): Promise<Uint8Array> {
  const { p, random, clock, deployment: target, keeper } = agent
  const [seed, walletKey] = [random(32), random(32)]
  const keys = await deriveAgentKeys(p, seed)
  const { signTypedData } = openWallet({ kind: 'key', key: walletKey })
  const notAfterS = secondsOf(clock) + REQUEST_VALID_S
  const evidence = await granteeEvidence(keys, { target, notAfterS, signTypedData })
  await keeper.update(state => {
    if (state.patient != null) {
      throw new SalusError('AGENT_HAS_PATIENT', 'This agent keeps a patient already.')
    }
    if (state.recovery == null) return { ...state, recovery: { patient, seed, walletKey, evidence } }
    if (toHex(state.recovery.patient) === toHex(patient)) return state
    throw new SalusError('RECOVERY_OTHER', 'A recovery of another patient is under way here; use another home folder.')
  })
  const attempt = attemptOf(agent)
  return encodeRecoveryRequest({ network: keeper.state().network, patient, evidence: attempt.evidence })
}

function attemptOf({ keeper }: Agent): RecoveryAttempt {
  const { recovery } = keeper.state()
  if (recovery == null) throw new SalusError('RECOVERY_NONE', 'No recovery is under way here; begin one first.')
  return recovery
}

/**
 * Opens the recovery on the chain with the guardians' approvals.
 *
 * @returns when it may be completed, seconds since 1970-01-01
 * @throws SalusError `RECOVERY_NONE`, `RECOVERY_APPROVAL_*`, and what the chain refuses it with
 */
export async function openRecovery(agent: Agent, approvals: readonly Uint8Array[]): Promise<number> {
  const { deployment: target, chain, node } = agent
  const { patient, walletKey, evidence } = attemptOf(agent)
  const { address, signTypedData } = openWallet({ kind: 'key', key: walletKey })
  const deadlineS = recoveryDeadlineS(decodeEvidence(evidence))
  const by = { target, patient, nonce: await chain.nonceOf(patient), deadlineS, signTypedData }
  const signature = await signRecovery(by, address)
  await relay(node, openRecoveryCall(by, address, signature, approvals.map(decodeApproval)))
  return (await chain.recoveryReadyAtS(patient)) ?? 0
}

/**
 * Completes the recovery: from then on the new wallet controls the record.
 *
 * @throws SalusError `RECOVERY_NONE`, `CHAIN_RECOVERY_TOO_EARLY`, `CHAIN_RECOVERY_NOT_OPEN` (vetoed, or too late)
 */
export async function completeRecovery(agent: Agent): Promise<void> {
  const { patient, walletKey } = attemptOf(agent)
  const { address } = openWallet({ kind: 'key', key: walletKey })
  await relay(agent.node, completeRecoveryCall(patient, address))
}

/**
 * Puts the guardians' shares together and makes the account again, controlled by the new wallet.
 *
 * @returns the patient, or what is missing or wrong
 * @throws SalusError `RECOVERY_NONE`, `CUSTODY_ANSWER_*`, `SHARE_PLAN_*`, `RECOVERED_SEED`, `SHARED_SECRET`; as `recoverPatientAccount`
 */
export async function recoverFromShares(
  agent: Agent,
  answers: readonly Uint8Array[]
): Promise<{ readonly state: PatientState } | Omit<Combined, 'payload'>> {
  const { p, keeper, chain } = agent
  const { patient, seed: own, walletKey } = attemptOf(agent)
  const { network } = keeper.state()
  const view = await chain.viewOf(patient, 0)
  const decoded = answers.map(decodeCustodyAnswer)
  const plans = new Map<string, DecodedSharePlan>()
  for (const { plan: bytes } of decoded) {
    const plan = decodeSharePlan(bytes, { network, patient })
    if (plan.rule !== 'recovery') throw new SalusError('SHARE_RULE', 'Refused: this share is not for a recovery.')
    if (!verifySharePlan(p, plan)) {
      throw new SalusError('SHARE_PLAN_SIGNATURE', 'Refused: the owner of the key bundle did not sign this plan.')
    }
    requirePatientsPlan(view, plan)
    plans.set(toHex(p.sha256(bytes)), plan)
  }
  const releases = decoded.map(({ release }) => release)
  const keys = await deriveAgentKeys(p, own)
  let best: Omit<Combined, 'payload'> = { missing: 0, wrong: [] }
  // Guardians may hold shares of two revisions, after a refresh that did not reach all: the newest that opens counts.
  for (const plan of [...plans.values()].sort((a, b) => b.revision - a.revision)) {
    const { payload: seed, ...rest } = await combineReleases({ p, sharing: auditedSharing }, plan, releases, keys)
    if (seed == null) {
      best = best.missing === 0 || rest.missing < best.missing ? rest : best
      continue
    }
    requireSeedOf(plan, seed, await deriveAgentKeys(p, seed))
    const state = await recoverPatientAccount(agent, seed, { kind: 'key', key: walletKey })
    await keeper.update(withoutRecovery)
    return { state }
  }
  return best
}

function withoutRecovery(state: AgentState): AgentState {
  const { network, deviceId, deviceSeed, devices, patient, clinician, kept, logs } = state
  const left = { network, deviceId, deviceSeed, devices, patient, clinician }
  return { ...left, ...(kept == null ? {} : { kept }), ...(logs == null ? {} : { logs }) }
}
