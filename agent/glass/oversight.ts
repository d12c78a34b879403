/** What follows an emergency: the patient ends or disputes it, somebody of another organisation reviews it. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { emergencyDisputeTypes, emergencyEndTypes, emergencyReviewTypes } from '#core/abi/typed-data/emergencies.ts'
import { concat, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { secondsOf } from '#agent/components.ts'
import { domainOf, ownCredential } from '#agent/glass/declare.ts'
import { foldEmergencies, REVIEW_OUTCOMES, type EmergencyOnChain } from '#agent/glass/emergencies.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { lookAtEmergencies } from '#agent/glass/watch.ts'
import { relay } from '#agent/network/record.ts'
import { checkControl } from '#agent/patient/operations.ts'

const DEADLINE_S = 3600

/** An emergency in the words of who asks, with the reason where it is known. */
export interface ShownEmergency extends EmergencyOnChain {
  /** Null where no record of it was found, or it is not sealed to this person. */
  readonly reasonText: string | null
  readonly isOffline: boolean
}

/** The patient's emergencies, also those without a network whose records came since. */
export async function patientEmergencies({ accounts, chain, shelf }: GlassComponents): Promise<ShownEmergency[]> {
  const { account } = await accounts.patient()
  const patient = toHex(account.state.patient)
  const { records } = await shelf.seen.read()
  const onChain = foldEmergencies(await chain.events()).filter(each => each.patient === patient)
  const shown = onChain.map(each => {
    const record = records.find(({ commitment }) => toHex(commitment) === each.reason)
    return { ...each, reasonText: textOf(record?.reason), isOffline: false }
  })
  const none = `0x${'00'.repeat(32)}` as const
  const offline = records
    .filter(({ isOffline }) => isOffline)
    .map(({ id, credential, commitment, reason, sinceS, untilS }) => ({
      ...{ id: toHex(id), patient, credential: toHex(credential), secondCredential: none, salt: none },
      ...{ reason: toHex(commitment), sinceS, untilS, isEnded: false, isDisputed: false },
      ...{ outcome: 'unreviewed' as const, reasonText: textOf(reason), isOffline: true }
    }))
  return [...shown, ...offline].sort((a, b) => a.sinceS - b.sinceS)
}

function textOf(reason: string | undefined): string | null {
  return reason == null || reason === '' ? null : reason
}

/** Emergencies of everybody that are over and await review: the chain shows them to all, without names. */
export async function reviewQueue({ chain, clock }: GlassComponents): Promise<EmergencyOnChain[]> {
  const nowS = secondsOf(clock)
  return foldEmergencies(await chain.events()).filter(
    ({ untilS, outcome }) => untilS <= nowS && outcome === 'unreviewed'
  )
}

/**
 * Ends an emergency as its patient, such as a false alarm; keys are replaced at once.
 *
 * @throws SalusError `EMERGENCY_UNKNOWN`, `WALLET_NOT_IN_CONTROL`, and what the chain refuses it with
 */
export async function endAsPatient(components: GlassComponents, id: string): Promise<void> {
  const { clock, node } = components
  const { wallet, tuple } = await asPatient(components, id)
  const deadline = secondsOf(clock) + DEADLINE_S
  const signature = await wallet.signTypedData(domainOf(components), emergencyEndTypes, { emergency: id, deadline })
  const args = [tuple, deadline, toHex(wallet.address), signature]
  await relay(node, { contract: 'EmergencyAccess', method: 'end', args })
  await lookAtEmergencies(components)
}

/**
 * Disputes an emergency as its patient; the chain keeps a salted digest of the statement alone.
 *
 * @returns what the statement was salted with, to be handed to the reviewer with it
 * @throws SalusError `EMERGENCY_UNKNOWN`, `WALLET_NOT_IN_CONTROL`, and what the chain refuses it with
 */
export async function disputeEmergency(components: GlassComponents, id: string, text: string): Promise<Uint8Array> {
  const { clock, node, random } = components
  const { wallet, tuple } = await asPatient(components, id)
  const salt = random(32)
  const statement = toHex(keccak_256(concat(salt, utf8(text))))
  const deadline = secondsOf(clock) + DEADLINE_S
  const value = { emergency: id, statement, deadline }
  const signature = await wallet.signTypedData(domainOf(components), emergencyDisputeTypes, value)
  const args = [tuple, statement, deadline, toHex(wallet.address), signature]
  await relay(node, { contract: 'EmergencyAccess', method: 'dispute', args })
  return salt
}

/**
 * Reviews an emergency under this clinician's credential, which has to be one of a reviewer.
 *
 * @returns what the report was salted with
 * @throws SalusError `EMERGENCY_UNKNOWN`, `CREDENTIAL_NONE`, and what the chain refuses it with
 */
export async function reviewEmergency(
  components: GlassComponents,
  id: string,
  review: { readonly outcome: Exclude<EmergencyOnChain['outcome'], 'unreviewed'>; readonly report: string }
): Promise<Uint8Array> {
  const { clock, node, random, accounts } = components
  const { wallet } = await accounts.clinician()
  const { tuple } = await onChain(components, id)
  const credential = toHex(await ownCredential(components))
  const salt = random(32)
  const report = toHex(keccak_256(concat(salt, utf8(review.report))))
  const outcome = REVIEW_OUTCOMES.indexOf(review.outcome)
  const deadline = secondsOf(clock) + DEADLINE_S
  const value = { emergency: id, outcome, report, reviewerCredential: credential, deadline }
  const signature = await wallet.signTypedData(domainOf(components), emergencyReviewTypes, value)
  const args = [tuple, outcome, report, credential, deadline, [toHex(wallet.address), signature]]
  await relay(node, { contract: 'EmergencyAccess', method: 'reviewByCredential', args })
  return salt
}

async function asPatient(components: GlassComponents, id: string) {
  const { account, wallet } = await components.accounts.patient()
  checkControl(account, wallet)
  const { tuple, patient } = await onChain(components, id)
  if (patient !== toHex(account.state.patient)) throw unknown()
  return { wallet, tuple }
}

async function onChain({ chain }: GlassComponents, id: string) {
  const found = foldEmergencies(await chain.events()).find(each => each.id === id)
  if (found == null) throw unknown()
  const { patient, credential, secondCredential, salt } = found
  return { patient, tuple: [patient, credential, secondCredential, salt] }
}

function unknown(): SalusError {
  return new SalusError('EMERGENCY_UNKNOWN', 'There is no such emergency; it may be in a block yet to come.')
}
