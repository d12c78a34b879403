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
import type { EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
import {
  claim,
  requestAccess,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle,
  type Terms
} from '#test/contracts/requests.ts'
import type { Habits } from '#test/scripts/observer/habits.ts'
import type { Relationship } from '#test/scripts/observer/relationship.ts'
import { CONSENT_TEXT, EMERGENCY_REASON, PURPOSE } from '#test/scripts/observer/secrets.ts'

/** What patients choose in place of the standard: shorter, or by two. */
export const [STRICTER, OF_TWO] = [
  { ...STANDARD, maxDuration: 3 * HOUR },
  { ...STANDARD, responders: 2 }
]

/** One relationship of the patient, and who acts in it. */
export interface Part {
  readonly chain: TestChain
  readonly key: Key
  /** Whom the patient hands the relationship to. */
  readonly heir: Key
  readonly relationship: Relationship
  readonly number: number
  /** Stands in the names of keys of this relationship alone. */
  readonly label: string
  readonly habits: Habits
  /** Whom all relationships give access. */
  readonly doctor: Key
  readonly world: EmergencyWorld
}

/** Something that the patient does in a relationship. */
export type Step = (part: Part) => Promise<void>

/** Grants, one by one and many at once, their use and their end. */
export async function useGrants({ chain, key, relationship, label, habits, doctor }: Part): Promise<void> {
  const { patient, did, scopeFor } = relationship
  const specialist = accountKey(`specialist ${label}`)
  const term = (grantee: Key, uses: number): Terms => ({ ...termsFor(grantee), ...habits.term(), uses })
  await did(requestAccess(chain, specialist, habits.commit(PURPOSE)))
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
  await did(updateKeyBundle(chain, key, patient, await habits.keyBundle()))
}

/** A consent, another policy for it, its end. */
export async function takeConsent({ chain, key, relationship, habits }: Part): Promise<void> {
  const { patient, did } = relationship
  const consent = { patient, consentId: habits.salt() }
  await did(giveConsent(chain, key, { ...consent, policy: habits.commit(CONSENT_TEXT), revision: 1 }))
  await did(giveConsent(chain, key, { ...consent, policy: habits.commit(CONSENT_TEXT), revision: 2 }))
  await did(withdrawConsent(chain, key, consent))
}

/** A policy and an emergency under it, its end, the patient's dispute and the review; another one by two responders. */
export async function haveEmergencies(part: Part): Promise<void> {
  const { chain, key, relationship, label, habits, world } = part
  const { patient, did } = relationship
  const reason = habits.commit(EMERGENCY_REASON)
  const responder = accountKey(`responder ${label}`)
  const credential = await world.hospital.hire(responder)
  const review = (emergency: Parameters<typeof end>[2]) =>
    did(reviewByCredential(chain, world.rita, emergency, world.ritas, JUSTIFIED, habits.commit(EMERGENCY_REASON)))
  await did(setPolicy(chain, key, patient, STRICTER))
  const first = emergencyOf(patient, credential, habits.salt())
  await did(breakGlass(chain, [responder], first, { reason }))
  await did(end(chain, responder, first))
  await did(dispute(chain, key, first, habits.commit(EMERGENCY_REASON)))
  await review(first)
  await did(setPolicy(chain, key, patient, OF_TWO))
  const second = emergencyOf(patient, credential, habits.salt(), world.bens)
  await did(breakGlass(chain, [responder, world.ben], second, { reason: habits.commit(EMERGENCY_REASON) }))
  await did(end(chain, key, second))
  await review(second)
}

/** A rotation to a new key, guardians, a recovery that is stopped and one that is not. */
export async function changeHands({ chain, key, heir, relationship, number, label, habits }: Part): Promise<void> {
  const { patient, did } = relationship
  const guardians = ['sister', 'friend', 'notary'].map(who => habits.guardian(who, number))
  const circle = circleOf(patient, guardians)
  const delay = habits.recoveryDelay()
  await did(rotateSigner(chain, key, heir, patient))
  await did(setGuardians(chain, heir, patient, { root: circle.tree.root, threshold: 2, delay }))
  const chosen = circle.inOrder(guardians).slice(0, 2)
  for (const [at, to] of [accountKey(`thief ${label}`), accountKey(`recovered ${label}`)].entries()) {
    await did((await signRecovery(chain, patient, to, { circle, guardians: chosen }))())
    if (at === 0) await did(vetoRecovery(chain, heir, patient))
    else {
      await chain.moveTo((await chain.now()) + delay + 1)
      await did(chain.contracts.grants.completeRecovery(patient, to.signer))
    }
  }
}
