import { ZeroHash } from 'ethers'
import type { EmergencyAccess } from '#core/abi/types/EmergencyAccess.ts'
import { roleId } from '#core/chain/roles.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { researchContracts } from '#test/contracts/research-contracts.ts'
import { PHYSICIAN, REVIEWER, openOffice } from '#test/contracts/credential-requests.ts'
import {
  DAY,
  HOUR,
  JUSTIFIED,
  REPORT,
  breakGlass,
  emergencyOf,
  reviewByCredential
} from '#test/contracts/emergency-requests.ts'
import { LIMITS, hospitalKey, inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey, walletOf, type Key } from '#test/contracts/keys.ts'

describe('EmergencyAccess against people with credentials', () => {
  let chain: TestChain
  let world: EmergencyWorld
  const { refuse, wait, open } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
  })

  it('one responder alone cannot use up a patient’s rate: another one is still let in, day after day', async () => {
    const { ada, ben, adas, bens } = world
    for (let hour = 0; hour < 48; hour++) {
      await open(String(hour), ada, adas).catch(() => undefined)
      await wait(HOUR)
    }
    await open('real', ben, bens)
  })

  it('has half of it at once, in company, too', async () => {
    const { ada, ben, adas, bens, patient } = world
    for (const salt of ['0', '1', '2']) await open(salt, ada, adas)
    await refuse(open('3', ada, adas), 'EmergencyResponderTooOften', ada.id)
    const two = emergencyOf(patient, bens, 'two', adas)
    await refuse(breakGlass(chain, [ben, ada], two), 'EmergencyResponderTooOften', ada.id)
    await open('alone', ben, bens)
  })

  it('lower rates lock out nobody for longer than a window', async () => {
    const { emergencies } = chain.contracts
    await emergencies.setLimits({ ...LIMITS, perPatient: 1000, perResponder: 1000, maxOverdue: 8 })
    for (let i = 0; i < 40; i++) await open(String(i))
    await emergencies.setLimits({ ...LIMITS, perPatient: 2, perResponder: 2, reviewWithin: 30 * DAY })
    await wait(DAY)
    await open('a day later', world.ada, world.adas)
  })

  it('no review is overdue before it can be given', async () => {
    await refuse(chain.contracts.emergencies.setLimits({ ...LIMITS, reviewWithin: DAY - 1 }), 'LimitsOutOfRange')
  })

  it('whoever signs for a responder’s organisation reviews nothing of it, wherever else it is employed', async () => {
    const asReviewer = await world.other.hire(hospitalKey, REVIEWER)
    const emergency = await open('one', world.ada, world.adas)
    await wait(1)
    await refuse(reviewByCredential(chain, hospitalKey, emergency, asReviewer), 'ReviewerNotIndependent', asReviewer)
  })

  it('no organisation that a responder signs for reviews it', async () => {
    const practice = openOffice(chain, world.ada)
    await practice.accredit()
    const friend = await practice.hire(accountKey('friend'), REVIEWER)
    const [byAda, byTwo] = [
      await open('one', world.ada, world.adas),
      emergencyOf(world.patient, world.bens, 'two', world.adas)
    ]
    await breakGlass(chain, [world.ben, world.ada], byTwo, { duration: 1 })
    await wait(1)
    for (const emergency of [byAda, byTwo]) {
      const call = reviewByCredential(chain, accountKey('friend'), emergency, friend)
      await refuse(call, 'ReviewerNotIndependent', friend)
    }
    const byBen = await open('three', world.ben, world.bens)
    await wait(1)
    await reviewByCredential(chain, accountKey('friend'), byBen, friend)
  })

  it('governance’s reviewer does not review what it declared', async () => {
    const { reviewer, key } = await reviewingPhysician()
    const credential = await world.hospital.hire(key, PHYSICIAN)
    const emergency = await open('own', key, credential)
    const second = emergencyOf(world.patient, world.bens, 'second', credential)
    await breakGlass(chain, [world.ben, key], second, { duration: 1 })
    await wait(1)
    for (const each of [emergency, second])
      await refuse(reviewer.review(each, JUSTIFIED, REPORT), 'ReviewerNotIndependent', ZeroHash)
    const other = await open('other', world.ben, world.bens)
    await wait(1)
    await reviewer.review(other, JUSTIFIED, REPORT)
  })

  async function reviewingPhysician(): Promise<{ reviewer: EmergencyAccess; key: Key }> {
    const { manager } = researchContracts(chain)
    const key = accountKey('physician of governance')
    await manager.grantRole(roleId('REVIEWER'), key.id, 0)
    const { emergencies: reviewer } = await chain.sentBy(walletOf('physician of governance'))
    return { reviewer, key }
  }
})
