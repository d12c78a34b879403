import { randomBytes } from 'node:crypto'
import { hexlify } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { inOrder, signBatch } from '#test/contracts/batch-requests.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import {
  HOUR,
  JUSTIFIED,
  STANDARD,
  breakGlass,
  dispute,
  emergencyOf,
  end,
  reviewByCredential,
  setPolicy
} from '#test/contracts/emergency-requests.ts'
import { openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { openDesk } from '#test/contracts/firmware-requests.ts'
import { measureAnchors } from '#test/contracts/gas-anchors.ts'
import { measureResearch } from '#test/contracts/gas-research.ts'
import { WAYS, accountKey, type Key } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
import {
  claim,
  requestAccess,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle,
  type Sent,
  type Terms
} from '#test/contracts/requests.ts'
import { commitment, freshBundle, openRelationship, type Relationship } from '#test/scripts/observer/relationship.ts'
import { CONSENT_TEXT, EMERGENCY_REASON, PURPOSE } from '#test/scripts/observer/secrets.ts'

/** What happened on the chain, by whom it was about. */
export interface Story {
  /** Three relationships of one patient: with a wallet, and with two passkeys of one site. */
  readonly relationships: readonly Relationship[]
  /** Whom more than one of them gave access. */
  readonly sharedGrantee: string
  /** Who reviewed the emergencies of all: its address, and its credential. */
  readonly reviewer: readonly string[]
}

/** A patient with three pseudonyms does all that a patient can do, and everybody else what they can do. */
export async function tellStory(chain: TestChain): Promise<Story> {
  const doctor = accountKey('doctor of both')
  const keys = [accountKey('wallet'), await passkey(chain, 'first passkey'), await passkey(chain, 'second passkey')]
  const world = await openWorld(chain, accountKey('somebody else'))
  const relationships: Relationship[] = []
  for (const [index, key] of keys.entries()) {
    const relationship = await openRelationship(chain, key)
    relationships.push(relationship)
    const label = String(index)
    await useGrants(chain, { key, relationship, doctor, label })
    await takeConsent(chain, key, relationship)
    const heir = index === 0 ? accountKey('new wallet') : await passkey(chain, `new passkey ${label}`)
    await haveEmergency(chain, { key, relationship, world, responder: accountKey(`responder ${label}`) })
    await changeHands(chain, { key, heir, relationship, label })
  }
  await runNetwork(chain)
  return { relationships, sharedGrantee: doctor.id, reviewer: [world.rita.id, world.ritas] }
}

async function passkey(chain: TestChain, label: string): Promise<Key> {
  const way = WAYS.find(({ name }) => name.startsWith('a passkey'))
  if (way == null) throw new Error('no passkeys')
  return way.create(chain, label)
}

/** Grants, one by one and many at once, their use and their end. */
async function useGrants(
  chain: TestChain,
  by: { readonly key: Key; readonly relationship: Relationship; readonly doctor: Key; readonly label: string }
): Promise<void> {
  const { key, relationship, doctor, label } = by
  const { patient, did, scopeFor } = relationship
  const specialist = accountKey(`specialist ${label}`)
  // To the second, as a patient's agent signs it: no two are the same.
  const term = (grantee: Key, uses: number): Terms => ({
    ...termsFor(grantee),
    notBefore: 1_790_000_000 + randomBytes(2).readUInt16BE(),
    expiresAt: 1_890_000_000 + randomBytes(3).readUIntBE(0, 3),
    uses
  })
  await did(requestAccess(chain, specialist, commitment(PURPOSE)))
  const scope = scopeFor(specialist, ['mental', 'medications'])
  const grant = await signGrant(chain, key, patient, term(specialist, 3), scope)
  await did(key.signer.length === 42 ? grant.submitCompact() : grant.submit())
  await did(claim(chain, specialist, grant.grantId, 2))
  await did(revoke(chain, key, patient, scope))
  const items = inOrder(
    [doctor, accountKey(`nurse ${label}`), accountKey(`lab ${label}`)].map(grantee => ({
      ...term(grantee, 255),
      scope: scopeFor(grantee, ['vitals', 'labs'])
    }))
  )
  const batch = await signBatch(chain, key, patient, items)
  await did(batch.submit())
  await did(batch.open(items[0]!))
  await did(updateKeyBundle(chain, key, patient, await freshBundle()))
}

async function takeConsent(chain: TestChain, key: Key, { patient, did }: Relationship): Promise<void> {
  const consent = { patient, consentId: hexlify(randomBytes(32)) }
  await did(giveConsent(chain, key, { ...consent, policy: commitment(CONSENT_TEXT), revision: 1 }))
  await did(giveConsent(chain, key, { ...consent, policy: commitment(CONSENT_TEXT), revision: 2 }))
  await did(withdrawConsent(chain, key, consent))
}

/** A policy, an emergency under it, its end, the patient's dispute and the review. */
async function haveEmergency(
  chain: TestChain,
  by: {
    readonly key: Key
    readonly relationship: Relationship
    readonly world: EmergencyWorld
    readonly responder: Key
  }
): Promise<void> {
  const { key, relationship, world, responder } = by
  const { patient, did } = relationship
  const credential = await world.hospital.hire(responder)
  await did(setPolicy(chain, key, patient, { ...STANDARD, maxDuration: 3 * HOUR }))
  const emergency = emergencyOf(patient, credential, hexlify(randomBytes(32)))
  await did(breakGlass(chain, [responder], emergency, { reason: commitment(EMERGENCY_REASON) }))
  await did(end(chain, responder, emergency))
  await did(dispute(chain, key, emergency, commitment(EMERGENCY_REASON)))
  await did(reviewByCredential(chain, world.rita, emergency, world.ritas, JUSTIFIED, commitment(EMERGENCY_REASON)))
}

/** A rotation to a new key, guardians, a recovery that is stopped and one that is not. */
async function changeHands(
  chain: TestChain,
  by: { readonly key: Key; readonly heir: Key; readonly relationship: Relationship; readonly label: string }
): Promise<void> {
  const { key, heir, relationship, label } = by
  const { patient, did } = relationship
  const guardians = ['sister', 'friend', 'notary'].map(each => accountKey(`${each} ${label}`))
  const circle = circleOf(patient, guardians)
  await did(rotateSigner(chain, key, heir, patient))
  await did(setGuardians(chain, heir, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S }))
  const chosen = circle.inOrder(guardians).slice(0, 2)
  for (const [at, to] of [accountKey(`thief ${label}`), accountKey(`recovered ${label}`)].entries()) {
    await did((await signRecovery(chain, patient, to, { circle, guardians: chosen }))())
    if (at === 0) await did(vetoRecovery(chain, heir, patient))
    else {
      await chain.moveTo((await chain.now()) + DELAY_S + 1)
      await did(chain.contracts.grants.completeRecovery(patient, to.signer))
    }
  }
}

/** Those whose keys are no person's: gateways, operators of peers, makers of devices, researchers, auditors. */
async function runNetwork(chain: TestChain): Promise<void> {
  const just = async (_name: string, sent: Sent): Promise<void> => {
    await (await sent).wait()
  }
  await measureAnchors(chain, just)
  const [operator, peer] = [openOperator(chain, accountKey('operator')), peerOf('peer')]
  await operator.accredit()
  await operator.list(peer)
  await operator.changePledge(peer, 2 ** 41, 2)
  await operator.retire(peer)
  await measureResearch(chain, just)
  const desk = openDesk(chain)
  await desk.registerManufacturer()
  await desk.registerModel()
  await desk.release(1)
  await desk.hold(1)
  await desk.unhold(1)
  await desk.heartbeat()
  await desk.yank([1])
}
