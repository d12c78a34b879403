import { expect } from 'chai'
import { ZeroHash } from 'ethers'
import type { EmergencyAccess } from '#core/abi/types/EmergencyAccess.ts'
import { roleId } from '#core/chain/roles.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { researchContracts } from '#test/contracts/research-contracts.ts'
import { PHYSICIAN, REVIEWER, openOffice } from '#test/contracts/credential-requests.ts'
import {
  DAY,
  HOUR,
  JUSTIFIED,
  REPORT,
  breakGlass,
  emergencyOf,
  reviewByCredential,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { hospitalKey, openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey, walletOf, type Key } from '#test/contracts/keys.ts'

const LIMITS = {
  perResponder: 12,
  perPatient: 6,
  window: DAY,
  reviewWithin: 3 * DAY,
  maxOverdue: 3,
  blockFor: 30 * DAY
}

describe('EmergencyAccess against people with credentials', () => {
  let chain: TestChain
  let world: EmergencyWorld
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    world = await openWorld(chain)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const refuse = async (call: Promise<unknown>, error: string, ...args: unknown[]): Promise<void> => {
    const assertion = expect(call).to.be.revertedWithCustomError(chain.contracts.emergencies, error)
    await (args.length === 0 ? assertion : assertion.withArgs(...args))
  }
  const wait = async (seconds: number): Promise<void> => chain.moveTo((await chain.now()) + seconds)
  const open = async (key: Key, credential: string, salt: string): Promise<Emergency> => {
    const next = emergencyOf(world.patient, credential, salt)
    await breakGlass(chain, [key], next, { duration: 1 })
    return next
  }

  it('one responder alone cannot use up a patient’s rate: another one is still let in, day after day', async () => {
    const { ada, ben, adas, bens } = world
    for (let hour = 0; hour < 48; hour++) {
      await open(ada, adas, String(hour)).catch(() => undefined)
      await wait(HOUR)
    }
    await open(ben, bens, 'real')
  })

  it('has half of it at once, in company, too', async () => {
    const { ada, ben, adas, bens, patient } = world
    for (const salt of ['0', '1', '2']) await open(ada, adas, salt)
    await refuse(open(ada, adas, '3'), 'EmergencyResponderTooOften', ada.id)
    const two = emergencyOf(patient, bens, 'two', adas)
    await refuse(breakGlass(chain, [ben, ada], two), 'EmergencyResponderTooOften', ada.id)
    await open(ben, bens, 'alone')
  })

  it('lower rates lock out nobody for longer than a window', async () => {
    const { emergencies } = chain.contracts
    await emergencies.setLimits({ ...LIMITS, perPatient: 1000, perResponder: 1000, maxOverdue: 8 })
    for (let i = 0; i < 40; i++) await open(world.ada, world.adas, String(i))
    await emergencies.setLimits({ ...LIMITS, perPatient: 2, perResponder: 2, reviewWithin: 30 * DAY })
    await wait(DAY)
    await open(world.ada, world.adas, 'a day later')
  })

  it('no review is overdue before it can be given', async () => {
    await refuse(chain.contracts.emergencies.setLimits({ ...LIMITS, reviewWithin: DAY - 1 }), 'LimitsOutOfRange')
  })

  it('whoever signs for a responder’s organisation reviews nothing of it, wherever else it is employed', async () => {
    const asReviewer = await world.other.hire(hospitalKey, REVIEWER)
    const emergency = await open(world.ada, world.adas, 'one')
    await wait(1)
    await refuse(reviewByCredential(chain, hospitalKey, emergency, asReviewer), 'ReviewerNotIndependent', asReviewer)
  })

  it('no organisation that a responder signs for reviews it', async () => {
    const practice = openOffice(chain, world.ada)
    await practice.accredit()
    const friend = await practice.hire(accountKey('friend'), REVIEWER)
    const [byAda, byTwo] = [
      await open(world.ada, world.adas, 'one'),
      emergencyOf(world.patient, world.bens, 'two', world.adas)
    ]
    await breakGlass(chain, [world.ben, world.ada], byTwo, { duration: 1 })
    await wait(1)
    for (const emergency of [byAda, byTwo]) {
      const call = reviewByCredential(chain, accountKey('friend'), emergency, friend)
      await refuse(call, 'ReviewerNotIndependent', friend)
    }
    const byBen = await open(world.ben, world.bens, 'three')
    await wait(1)
    await reviewByCredential(chain, accountKey('friend'), byBen, friend)
  })

  it('governance’s reviewer does not review what it declared', async () => {
    const { reviewer, key } = await reviewingPhysician()
    const credential = await world.hospital.hire(key, PHYSICIAN)
    const emergency = await open(key, credential, 'own')
    const second = emergencyOf(world.patient, world.bens, 'second', credential)
    await breakGlass(chain, [world.ben, key], second, { duration: 1 })
    await wait(1)
    for (const each of [emergency, second])
      await refuse(reviewer.review(each, JUSTIFIED, REPORT), 'ReviewerNotIndependent', ZeroHash)
    const other = await open(world.ben, world.bens, 'other')
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
