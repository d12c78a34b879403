import { expect } from 'chai'
import { id } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import {
  DAY,
  HOUR,
  JUSTIFIED,
  REPORT,
  STANDARD,
  UNJUSTIFIED,
  breakGlass,
  emergencyIdOf,
  emergencyOf,
  end,
  setPolicy,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { LIMITS, inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { idOf, register } from '#test/contracts/requests.ts'

describe('EmergencyAccess, to the second', () => {
  let chain: TestChain
  let world: EmergencyWorld
  let emergency: Emergency
  const { refuse, wait, open, standing } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
    emergency = emergencyOf(world.patient, world.adas)
  })

  /** What is sent next is in a block of this time. */
  const at = (time: number): Promise<void> => chain.moveTo(time - 1)
  const declare = async (duration: number = HOUR): Promise<number> => {
    await breakGlass(chain, [world.ada], emergency, { duration })
    return chain.now()
  }

  it('is declared with a deadline an hour ahead, and none later', async () => {
    const deadline = (await chain.now()) + 1 + HOUR
    const late = breakGlass(chain, [world.ada], emergency, { deadline: deadline + 1 })
    await refuse(late, 'EmergencyDeadlineTooFar', deadline + 1)
    await breakGlass(chain, [world.ada], emergency, { deadline })
  })

  it('is ended in its last second, and no later', async () => {
    const began = await declare()
    await at(began + HOUR)
    await refuse(end(chain, world.ada, emergency), 'EmergencyIsOver')
    emergency = emergencyOf(world.patient, world.adas, 'second')
    const again = await declare()
    await at(again + HOUR - 1)
    await end(chain, world.ada, emergency)
  })

  it('is reviewed from its end, and no earlier', async () => {
    const { emergencies } = chain.contracts
    const began = await declare()
    await at(began + HOUR - 1)
    await refuse(emergencies.review(emergency, JUSTIFIED, REPORT), 'EmergencyNotOver')
    await at(began + HOUR)
    await emergencies.review(emergency, JUSTIFIED, REPORT)
  })

  it('may be followed by another one once the cool-down is over', async () => {
    await setPolicy(chain, world.patientKey, world.patient, { ...STANDARD, coolDown: DAY })
    const began = await declare()
    await at(began + DAY - 1)
    await refuse(open('next'), 'EmergencyTooSoon', began + DAY)
    await at(began + DAY)
    await open('next')
  })

  it('is possible again when a block ends', async () => {
    await declare(1)
    await wait(1)
    await chain.contracts.emergencies.review(emergency, UNJUSTIFIED, REPORT)
    const until = (await chain.now()) + 30 * DAY
    await at(until - 1)
    await refuse(open('next'), 'EmergencyResponderBlocked', world.ada.id, until)
    await at(until)
    await open('next')
  })

  it('is stopped when the third review has been awaited for three days', async () => {
    await open('0')
    await open('1')
    const third = emergencyIdOf(await open('2'))
    const { beganAt } = await chain.contracts.emergencies.stateOf(third)
    await at(Number(beganAt) + 3 * DAY - 1)
    await open('just in time')
    await refuse(open('late'), 'EmergencyReviewsOverdue', world.ada.id)
    await refuse(open('late'), 'EmergencyReviewsOverdue', world.ada.id)
  })

  it('says nothing of a block that is not longer than the one there is', async () => {
    const { emergencies } = chain.contracts
    const [first, second, third] = [await open('0'), await open('1'), await open('2')]
    await wait(1)
    await emergencies.review(first, UNJUSTIFIED, REPORT)
    const until = (await chain.now()) + 30 * DAY
    await emergencies.setLimits({ ...LIMITS, blockFor: 30 * DAY - 10 })
    await at(until - 30 * DAY + 10)
    await expect(emergencies.review(second, UNJUSTIFIED, REPORT)).to.not.emit(emergencies, 'ResponderBlocked')
    expect((await standing(world.ada))[0]).to.equal(BigInt(until))
    await expect(emergencies.review(third, UNJUSTIFIED, REPORT))
      .to.emit(emergencies, 'ResponderBlocked')
      .withArgs(world.ada.id, until + 1)
  })

  it('comes back within the window that governance set: of a patient, of a responder, of the two together', async () => {
    const { emergencies } = chain.contracts
    const { ada, ben, adas, bens } = world
    await emergencies.setLimits({ ...LIMITS, perPatient: 2, perResponder: 2, window: HOUR })
    const key = accountKey('another patient')
    await register(chain, key)
    const another = idOf(key.signer, id('salt'))
    await register(chain, accountKey('third patient'))
    const third = idOf(accountKey('third patient').signer, id('salt'))
    for (const round of ['0', '1']) {
      await open(round)
      await refuse(open(`pair ${round}`), 'EmergencyResponderTooOften', ada.id)
      await open(`ben ${round}`, ben, bens)
      await breakGlass(chain, [ada], emergencyOf(another, adas, round), { duration: 1 })
      const byAda = breakGlass(chain, [ada], emergencyOf(third, adas, round), { duration: 1 })
      await refuse(byAda, 'EmergencyResponderTooOften', ada.id)
      await wait(HOUR)
    }
  })
})
