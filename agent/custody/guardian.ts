/** A guardian's side: keeps shares of other people's seeds, approves recoveries, and hands shares on after one. */
import { encodeApproval } from '#core/custody/approval.ts'
import { signConfirmation } from '#core/custody/confirmation.ts'
import { encodeGuardianCard } from '#core/custody/guardian-card.ts'
import { approveRecovery } from '#core/custody/guardian-calls.ts'
import { decodeGuardianNote, requirePatientsPlan } from '#core/custody/guardians.ts'
import { keepNewest } from '#core/custody/keeping.ts'
import {
  decodeRecoveryRequest,
  recoveryDeadlineS,
  releaseToRecovered,
  type RecoveryRequest
} from '#core/custody/recovery.ts'
import { encodeCustodyAnswer } from '#core/custody/release-request.ts'
import { decodeSealedShare, openShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { equalBytes, fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { checkBinding, keyBindingDomain, recoverBindingAddress } from '#core/identity/key-binding.ts'
import type { Agent } from '#agent/agent.ts'
import { createClinicianAccount, renewEvidence } from '#agent/clinician/account.ts'
import { secondsOf } from '#agent/components.ts'

/** Blocks on top of a recovery before a guardian hands its share on. */
const CONFIRMATIONS = 12

/** A share that is kept, and for whom. */
export interface KeptFor {
  readonly patient: Uint8Array
  readonly revision: number
}

/** The guardian's card; its account is that under which others give it access, made if there is none. */
export async function guardianCard(agent: Agent): Promise<Uint8Array> {
  if (agent.keeper.state().clinician == null) await createClinicianAccount(agent)
  await renewEvidence(agent)
  const { account, evidence } = await agent.accounts.clinician()
  const { network, address } = account.state
  return encodeGuardianCard({ network, address, evidence })
}

function keptShares({ keeper }: Pick<Agent, 'keeper'>): SealedShare[] {
  const { kept = [], network } = keeper.state()
  return kept.map(bytes => decodeSealedShare(bytes, { network }))
}

/** For whom shares are kept. */
export function sharesKept(agent: Agent): KeptFor[] {
  return keptShares(agent).map(({ plan: { patient, revision } }) => ({ patient, revision }))
}

/**
 * Keeps a share, once it opened and the chain knows whose it is. Older ones of the same patient are deleted.
 *
 * @returns a signed confirmation, for the patient
 * @throws SalusError `SEALED_SHARE_*`, `SHARE_PLAN_*`, `SHARE_WRONG`, `SHARE_RULE`, `SHARE_STALE` (as new or newer is kept),
 * `GUARDIAN_NOTE_*`, `SHARE_PLAN_STRANGER`
 */
export async function keepShare(agent: Agent, bytes: Uint8Array): Promise<Uint8Array> {
  const { p, clock, keeper, chain, accounts } = agent
  const { keys } = await accounts.clinician()
  const sealed = decodeSealedShare(bytes, { network: keeper.state().network })
  const { plan } = sealed
  if (plan.rule !== 'recovery') throw new SalusError('SHARE_RULE', 'Refused: this share is not for a recovery.')
  const { note } = await openShare(p, sealed, keys)
  decodeGuardianNote(note)
  requirePatientsPlan(await chain.viewOf(plan.patient, 0), plan)
  await keeper.update(state => {
    const { kept = [] } = state
    // The same share once more: whoever sent it did not get the confirmation.
    if (kept.some(each => equalBytes(each, bytes))) return state
    const held = kept.map(each => ({ ...decodeSealedShare(each), encoded: each }))
    const left = keepNewest(held, { ...sealed })
    return { ...state, kept: [...held.filter(each => left.includes(each)).map(({ encoded }) => encoded), bytes] }
  })
  return signConfirmation(p, sealed, clock(), keys)
}

function shareFor(agent: Agent, { patient }: RecoveryRequest): SealedShare {
  const held = keptShares(agent).find(({ plan }) => equalBytes(plan.patient, patient))
  if (held == null) throw new SalusError('SHARE_UNKNOWN', 'This guardian keeps no share for that patient.')
  return held
}

/**
 * Consents to a recovery to the wallet that made the request. That the patient stands before it, only the guardian can say.
 *
 * @throws SalusError `RECOVERY_REQUEST_*`, `BINDING_*`, `EVIDENCE_*`, `SHARE_UNKNOWN`, `GUARDIAN_LEAF`
 */
export async function approveRequest(agent: Agent, requestBytes: Uint8Array): Promise<Uint8Array> {
  const { p, clock, deployment: target, keeper, chain, accounts } = agent
  const request = decodeRecoveryRequest(requestBytes, { network: keeper.state().network })
  const held = shareFor(agent, request)
  const { keys, wallet } = await accounts.clinician()
  const evidence = decodeEvidence(request.evidence)
  const bindings = keyBindingDomain(target.chainId, target.contracts.AccessGrants.address)
  const newSigner = recoverBindingAddress(bindings, evidence)
  checkBinding(bindings, evidence, { address: newSigner, nowS: secondsOf(clock) })
  const { note } = await openShare(p, held, keys)
  const { patient } = request
  const nonce = await chain.nonceOf(patient)
  const deadlineS = recoveryDeadlineS(evidence)
  const { signTypedData } = wallet
  const by = { target, patient, nonce, deadlineS, signTypedData }
  return encodeApproval(await approveRecovery(by, fromHex(newSigner, 20), decodeGuardianNote(note)))
}

/**
 * The share, sealed to the device that the chain's final recovery named, with the plan it is of.
 *
 * @throws SalusError as `releaseToRecovered`, `SHARE_UNKNOWN`, `CHAIN_*`
 */
export async function releaseShare(agent: Agent, requestBytes: Uint8Array): Promise<Uint8Array> {
  const { p, random, clock, deployment, keeper, chain, accounts } = agent
  const request = decodeRecoveryRequest(requestBytes, { network: keeper.state().network })
  const held = shareFor(agent, request)
  const { keys } = await accounts.clinician()
  const view = await chain.viewOf(request.patient, CONFIRMATIONS)
  const bindings = keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address)
  const judged = { chain: view, finalS: view.blockTimeS, nowS: secondsOf(clock), bindings }
  const release = await releaseToRecovered({ p, random }, held, requestBytes, judged, keys)
  return encodeCustodyAnswer({ plan: held.plan.bytes, release })
}
