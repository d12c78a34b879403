import type { TestChain } from '#test/contracts/chain.ts'
import { openOffice } from '#test/contracts/credential-requests.ts'
import {
  JUSTIFIED,
  STANDARD,
  UNJUSTIFIED,
  breakGlass,
  emergencyOf,
  end,
  setPolicy
} from '#test/contracts/emergency-requests.ts'
import type { EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey, payingKey } from '#test/contracts/keys.ts'
import { DELAY_S, setGuardians } from '#test/contracts/recovery-requests.ts'
import { revoke, signGrant, termsFor } from '#test/contracts/requests.ts'
import { CAREFUL } from '#test/scripts/observer/habits.ts'
import { OF_TWO, STRICTER } from '#test/scripts/observer/patient-story.ts'
import { EMERGENCY_REASON } from '#test/scripts/observer/secrets.ts'

/** Organisations and their staff; another patient, who pays for its transactions, and a doctor who does. */
export async function treat(chain: TestChain, world: EmergencyWorld): Promise<void> {
  await runOffice(chain)
  await payThemselves(chain, world)
  await chooseAsOthers(chain, world)
  const { emergencies } = chain.contracts
  const emergency = emergencyOf(world.patient, world.adas, CAREFUL.salt())
  await breakGlass(chain, [world.ada], emergency, { reason: CAREFUL.commit(EMERGENCY_REASON) })
  await end(chain, world.ada, emergency)
  await emergencies.review(emergency, JUSTIFIED, CAREFUL.commit(EMERGENCY_REASON))
  const { perPatient, window, reviewWithin, maxOverdue, blockFor } = await emergencies.limits()
  await emergencies.setLimits({ perResponder: 10, perPatient, window, reviewWithin, maxOverdue, blockFor })
  await beBlocked(chain, world)
}

/** A responder whose emergency is first thought unjustified. */
async function beBlocked(chain: TestChain, world: EmergencyWorld): Promise<void> {
  const { emergencies } = chain.contracts
  await chain.moveTo((await chain.now()) + 30 * 86_400)
  const emergency = emergencyOf(world.patient, world.adas, CAREFUL.salt())
  await breakGlass(chain, [world.ada], emergency, { reason: CAREFUL.commit(EMERGENCY_REASON) })
  await end(chain, world.ada, emergency)
  await emergencies.review(emergency, UNJUSTIFIED, CAREFUL.commit(EMERGENCY_REASON))
  await emergencies.liftBlock(world.ada.id, CAREFUL.commit(EMERGENCY_REASON))
}

/** An organisation that loses a member, its key and for a time its accreditation. */
async function runOffice(chain: TestChain): Promise<void> {
  const [key, next, dentist] = [accountKey('practice'), accountKey('next key of the practice'), accountKey('dentist')]
  const { credentials } = chain.contracts
  const office = openOffice(chain, key)
  await office.accredit()
  const salt = CAREFUL.salt()
  await office.issue({ holder: dentist, salt })
  await office.revoke(dentist, key, salt)
  await credentials.suspend(office.organisation)
  await credentials.exclude(office.organisation)
  await credentials.reinstate(office.organisation)
  await office.rotate(key, next)
}

async function payThemselves(chain: TestChain, { patient, patientKey }: EmergencyWorld): Promise<void> {
  const doctor = await payingKey(chain, 'doctor who pays')
  const { signer } = await payingKey(chain, 'somebody else')
  const [once, always] = [CAREFUL.salt(), CAREFUL.salt()]
  const grant = await signGrant(chain, patientKey, patient, termsFor(doctor.key, { uses: 1 }), once)
  await grant.submit()
  await (await chain.sentBy(doctor.signer)).grants.claimByAccount(grant.grantId)
  await (await signGrant(chain, patientKey, patient, termsFor(doctor.key), always)).submit()
  await (await chain.sentBy(signer)).grants.revokeByAccount(patient, always)
  await revoke(chain, patientKey, patient, once)
}

/** What many patients choose. */
async function chooseAsOthers(chain: TestChain, { patient, patientKey }: EmergencyWorld): Promise<void> {
  for (const policy of [STRICTER, OF_TWO, STANDARD]) await setPolicy(chain, patientKey, patient, policy)
  await setGuardians(chain, patientKey, patient, { root: CAREFUL.salt(), threshold: 2, delay: DELAY_S })
}
