/** Breaking the glass: declared on the chain, with a reason, for some hours; then custodians release what it opens. */
import { setTimeout as pause } from 'node:timers/promises'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { domain } from '#core/abi/typed-data/domain.ts'
import { breakGlassTypes, emergencyEndTypes } from '#core/abi/typed-data/emergencies.ts'
import { signGlassRecord } from '#core/custody/break-glass.ts'
import { checkReason, commitReason, sealReason } from '#core/custody/sealed-reason.ts'
import { concat, equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import type { HeldCredential } from '#agent/chain/credential-facts.ts'
import { secondsOf } from '#agent/components.ts'
import { collectShares, type Opened } from '#agent/glass/collect.ts'
import { foldEmergencies } from '#agent/glass/emergencies.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { changeHeld, withEmergency, type HeldEmergency } from '#agent/glass/held-emergencies.ts'
import { relay } from '#agent/network/record.ts'
import { isTransient } from '#agent/patient/refusals.ts'

/** Until when a relayer may submit it; the contract takes an hour at most. */
const DEADLINE_S = 1_800
/** For how long custodians are asked that have not seen the block yet. */
const WAIT_MS = 30_000
const LOOK_MS = 500
const NO_CREDENTIAL = new Uint8Array(32)

/** What a responder declares. */
export interface EmergencyWish {
  readonly patient: Uint8Array
  readonly reason: string
  readonly durationS: number
  readonly custodians: readonly string[]
  /** The newest that holds if not given. */
  readonly credential?: Uint8Array
  /** Encoded key bundles of reviewers who may read the reason besides the patient. */
  readonly reviewers?: readonly Uint8Array[]
}

/**
 * Declares an emergency and collects what it opens. It is on this disk before the chain learns of it.
 *
 * @throws SalusError `REASON_LENGTH`, `CREDENTIAL_NONE`, what the chain refuses it with, and as {@link collectRelease}
 */
export async function declareEmergency(components: GlassComponents, wish: EmergencyWish): Promise<HeldEmergency> {
  const { random, clock, accounts, node, shelf } = components
  const { wallet } = await accounts.clinician()
  checkReason(wish.reason)
  const credential = wish.credential ?? (await ownCredential(components))
  const [salt, reasonSalt] = [random(32), random(32)]
  const id = keccak_256(concat(wish.patient, credential, NO_CREDENTIAL, salt))
  const sinceS = secondsOf(clock)
  const about = { patient: wish.patient, credential, salt, reasonSalt, reasonText: wish.reason }
  const until = { sinceS, untilS: sinceS + wish.durationS }
  const rest = { isOffline: false, custodians: wish.custodians, keys: new Uint8Array() }
  const held: HeldEmergency = { id, ...about, ...until, ...rest }
  await shelf.emergencies.update(all => withEmergency(all, held, sinceS))
  const reason = toHex(commitReason({ salt: reasonSalt, text: wish.reason }))
  const tuple = tupleOf(held)
  const deadline = sinceS + DEADLINE_S
  const value = { ...tuple, reason, duration: wish.durationS, deadline }
  const signature = await wallet.signTypedData(domainOf(components), breakGlassTypes, value)
  const responders = [[toHex(wallet.address), signature]]
  const args = [Object.values(tuple), reason, wish.durationS, deadline, responders]
  try {
    await relay(node, { contract: 'EmergencyAccess', method: 'breakGlass', args })
  } catch (error) {
    if (!isTransient(error)) await shelf.emergencies.update(all => all.filter(each => !equalBytes(each.id, id)))
    throw error
  }
  return collectRelease(components, id, wish.reviewers)
}

/**
 * Asks the custodians for what an emergency opens, and leaves a record of it with the reason for the patient.
 *
 * @throws SalusError `EMERGENCY_UNKNOWN`, `EMERGENCY_OVER`, `EMERGENCY_SHARES`, `PATIENT_UNKNOWN`
 */
export async function collectRelease(
  components: GlassComponents,
  id: Uint8Array,
  reviewers: readonly Uint8Array[] = []
): Promise<HeldEmergency> {
  const { clock, accounts, chain, shelf } = components
  const held = await heldOf(components, id)
  const { account, keys, evidence } = await accounts.clinician()
  const onChain = foldEmergencies(await chain.events()).find(each => each.id === toHex(id))
  if (onChain == null) throw new SalusError('EMERGENCY_UNKNOWN', 'The chain has no such emergency; declare it again.')
  refuseOver(onChain.untilS, secondsOf(clock))
  const { keyBundles } = await chain.recordOf(held.patient)
  const digest = keyBundles.find(({ replacedAtS }) => replacedAtS == null)?.digest
  if (digest == null) throw new SalusError('PATIENT_UNKNOWN', 'The chain knows no such patient.')
  const reader = { state: account.state, keys, evidence }
  const query = { patient: held.patient, emergency: id, custodians: held.custodians }
  const opened = await untilReleased(components, async () => collectShares(components, reader, digest, query))
  const times = { sinceS: onChain.sinceS, untilS: onChain.untilS }
  await changeHeld(shelf.emergencies, id, now => ({ ...now, ...times, keys: opened.payload }))
  await leaveRecord(components, { ...held, ...times }, opened, reviewers)
  return heldOf(components, id)
}

/** A custodian a block behind says that it knows of no emergency: it is asked again. */
async function untilReleased({ clock }: GlassComponents, collect: () => Promise<Opened>): Promise<Opened> {
  const deadline = clock() + WAIT_MS
  for (;;) {
    try {
      return await collect()
    } catch (error) {
      const isEarly = isSalusError(error, 'EMERGENCY_SHARES') && /EMERGENCY_UNKNOWN|NODE_/.test(error.message)
      if (!isEarly || clock() >= deadline) throw error
      await pause(LOOK_MS)
    }
  }
}

/** The patient reads why on its own agent: the record waits in the outbox until a node has it. */
async function leaveRecord(
  components: GlassComponents,
  held: HeldEmergency,
  { plan }: Opened,
  reviewers: readonly Uint8Array[]
): Promise<void> {
  const { p, random, keeper, accounts, outbox, operations } = components
  const { account, keys, evidence } = await accounts.clinician()
  const { network } = account.state
  const reason = { salt: held.reasonSalt, text: held.reasonText }
  const record = signGlassRecord(
    p,
    {
      ...{ network, patient: held.patient, plan: p.sha256(plan.bytes), credential: held.credential },
      ...{ reason: commitReason(reason), sealedReason: await sealReason(random, reason, [plan.bundle, ...reviewers]) },
      ...{ atMs: held.sinceS * 1000, durationS: Math.max(1, held.untilS - held.sinceS), nonce: random(16) },
      ...{ author: keys.bundle.sign, evidence }
    },
    keys.signSeed
  )
  const message = encodeMessage({ kind: 'glass', network, record })
  await outbox.put(keeper.state().deviceSeed, { message, blob: null })
  await operations.resume()
}

/**
 * Ends an emergency: it is over, or was a false alarm. What was released is forgotten.
 *
 * @throws SalusError `EMERGENCY_UNKNOWN`, and what the chain refuses it with
 */
export async function endEmergency(components: GlassComponents, id: Uint8Array): Promise<void> {
  const { clock, accounts, node, shelf } = components
  const held = await heldOf(components, id)
  const nowS = secondsOf(clock)
  if (!held.isOffline) {
    const { wallet } = await accounts.clinician()
    const deadline = nowS + DEADLINE_S
    const value = { emergency: toHex(id), deadline }
    const signature = await wallet.signTypedData(domainOf(components), emergencyEndTypes, value)
    const args = [Object.values(tupleOf(held)), deadline, toHex(wallet.address), signature]
    await relay(node, { contract: 'EmergencyAccess', method: 'end', args })
  }
  await changeHeld(shelf.emergencies, id, now => ({
    ...now,
    untilS: Math.min(now.untilS, nowS),
    keys: new Uint8Array()
  }))
}

/**
 * An emergency that this responder declared.
 *
 * @throws SalusError `EMERGENCY_UNKNOWN`
 */
export async function heldOf({ shelf }: GlassComponents, id: Uint8Array): Promise<HeldEmergency> {
  const held = (await shelf.emergencies.read()).find(each => equalBytes(each.id, id))
  if (held == null) throw new SalusError('EMERGENCY_UNKNOWN', 'This agent declared no such emergency.')
  return held
}

/** @throws SalusError `EMERGENCY_OVER` */
export function refuseOver(untilS: number, nowS: number): void {
  if (nowS >= untilS) throw new SalusError('EMERGENCY_OVER', 'The emergency is over.')
}

/** The domain that requests to the contract are signed for. */
export function domainOf({ deployment }: Pick<GlassComponents, 'deployment'>) {
  return domain('EmergencyAccess', deployment.chainId, deployment.contracts.EmergencyAccess.address)
}

/** What makes up the id, in the order of the contract's fields. */
function tupleOf({ patient, credential, salt }: HeldEmergency) {
  const [secondCredential] = [toHex(NO_CREDENTIAL)]
  return { patient: toHex(patient), credential: toHex(credential), secondCredential, salt: toHex(salt) }
}

/**
 * The newest credential of this clinician that holds now.
 *
 * @throws SalusError `CREDENTIAL_NONE`
 */
export async function ownCredential({ chain, clock, accounts }: GlassComponents): Promise<Uint8Array> {
  const { account } = await accounts.clinician()
  const nowS = secondsOf(clock)
  const own = await chain.credentialsOf(toHex(account.state.address))
  const isHeld = (each: HeldCredential): boolean => !each.isRevoked && each.isOrganisationInForce
  const found = own
    .filter(({ notBeforeS, expiresAtS }) => notBeforeS <= nowS && nowS < expiresAtS)
    .filter(isHeld)
    .at(-1)
  if (found != null) return fromHex(found.id, 32)
  throw new SalusError(
    'CREDENTIAL_NONE',
    'The chain has no credential of this clinician; ask your organisation for one.'
  )
}
