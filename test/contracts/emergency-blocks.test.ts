import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { roleId } from '#core/chain/roles.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { PHYSICIAN } from '#test/contracts/credential-requests.ts'
import {
  DAY,
  JUSTIFIED,
  QUESTIONABLE,
  REASON,
  REPORT,
  UNJUSTIFIED,
  breakGlass,
  emergencyIdOf,
  emergencyOf
} from '#test/contracts/emergency-requests.ts'
import { LIMITS, inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey, walletOf, type Key } from '#test/contracts/keys.ts'
import { researchContracts } from '#test/contracts/research-contracts.ts'
import { byStranger } from '#test/contracts/stranger.ts'

describe('EmergencyAccess: responders whose emergency was unjustified', () => {
  let chain: TestChain
  let world: EmergencyWorld
  const { refuse, wait, open, standing } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
  })

  describe('a block', () => {
    it('stops its responders for a time', async () => {
      const { emergencies } = chain.contracts
      const { ada, ben, adas, bens, patient } = world
      const two = emergencyOf(patient, adas, 'two', bens)
      await breakGlass(chain, [ada, ben], two, { duration: 1 })
      await wait(1)
      const reviewed = emergencies.review(two, UNJUSTIFIED, REPORT)
      await reviewed
      const until = (await chain.now()) + 30 * DAY
      for (const [key, credential] of [
        [ada, adas],
        [ben, bens]
      ] as const) {
        await expect(reviewed).to.emit(emergencies, 'ResponderBlocked').withArgs(key.id, until)
        expect(await standing(key)).to.deep.equal([BigInt(until), 0n, false])
        const call = breakGlass(chain, [key], emergencyOf(patient, credential, 'next'))
        await refuse(call, 'EmergencyResponderBlocked', key.id, until)
      }
      await chain.moveTo(until)
      await breakGlass(chain, [ada], emergencyOf(patient, adas, 'next'))
    })

    it('never shortens a block', async () => {
      const { emergencies } = chain.contracts
      const [first, second] = [await open('first'), await open('second')]
      await wait(1)
      await emergencies.review(first, UNJUSTIFIED, REPORT)
      const before = await standing(world.ada)
      await emergencies.setLimits({ ...LIMITS, blockFor: 0 })
      await expect(emergencies.review(second, UNJUSTIFIED, REPORT)).to.not.emit(emergencies, 'ResponderBlocked')
      expect((await standing(world.ada))[0]).to.equal(before[0])
    })

    it('stops a responder whose credential was revoked before the review, for its next one', async () => {
      const first = await open('first')
      await wait(1)
      await world.hospital.revoke(world.ada, world.ada, id('credential 1'))
      await chain.contracts.emergencies.review(first, UNJUSTIFIED, REPORT)
      const next = await world.other.hire(world.ada, PHYSICIAN)
      await refuse(breakGlass(chain, [world.ada], emergencyOf(world.patient, next)), 'EmergencyResponderBlocked')
    })

    it('comes of no other outcome', async () => {
      const { emergencies } = chain.contracts
      const [first, second] = [await open('first'), await open('second')]
      await wait(1)
      await emergencies.review(first, JUSTIFIED, REPORT)
      await emergencies.review(second, QUESTIONABLE, REPORT)
      expect(await standing(world.ada)).to.deep.equal([0n, 0n, false])
    })

    it('grows with a later review, from when that is given', async () => {
      const { emergencies } = chain.contracts
      const [first, second] = [await open('first'), await open('second')]
      await wait(1)
      await emergencies.review(first, UNJUSTIFIED, REPORT)
      await wait(DAY)
      await emergencies.review(second, UNJUSTIFIED, REPORT)
      expect((await standing(world.ada))[0]).to.equal(BigInt((await chain.now()) + 30 * DAY))
    })
  })

  describe('lifting a block', () => {
    const block = async (key = world.ada, credential = world.adas): Promise<void> => {
      const emergency = await open('wrong', key, credential)
      await wait(1)
      await chain.contracts.emergencies.review(emergency, UNJUSTIFIED, REPORT)
    }
    const reviewer = async (
      name: string
    ): Promise<{ key: Key; emergencies: TestChain['contracts']['emergencies'] }> => {
      const key = accountKey(name)
      await researchContracts(chain).manager.grantRole(roleId('REVIEWER'), key.id, 0)
      return { key, ...(await chain.sentBy(walletOf(name))) }
    }

    it('lets the responder declare at once, and leaves what the review found', async () => {
      const { key, emergencies } = await reviewer('second reviewer')
      await block()
      const wrong = emergencyIdOf(emergencyOf(world.patient, world.adas, 'wrong'))
      await refuse(open('next'), 'EmergencyResponderBlocked')
      await expect(emergencies.liftBlock(world.ada.id, REASON))
        .to.emit(emergencies, 'ResponderBlockLifted')
        .withArgs(world.ada.id, REASON, key.id)
      expect(await standing(world.ada)).to.deep.equal([BigInt(await chain.now()), 0n, false])
      expect((await emergencies.stateOf(wrong)).outcome).to.equal(BigInt(UNJUSTIFIED))
      await refuse(
        emergencies.review(emergencyOf(world.patient, world.adas, 'wrong'), JUSTIFIED, REPORT),
        'EmergencyAlreadyReviewed'
      )
      await open('next')
    })

    it('happens while paused, too', async () => {
      await block()
      await chain.contracts.emergencies.pause()
      await chain.contracts.emergencies.liftBlock(world.ada.id, REASON)
      await open('next')
    })

    it('is of one responder alone, and of no block to come', async () => {
      const { emergencies } = chain.contracts
      await block()
      await block(world.ben, world.bens)
      await emergencies.liftBlock(world.ada.id, REASON)
      await refuse(open('next', world.ben, world.bens), 'EmergencyResponderBlocked')
      const next = await open('next')
      await wait(1)
      await emergencies.review(next, UNJUSTIFIED, REPORT)
      await refuse(open('third'), 'EmergencyResponderBlocked')
    })

    it('is refused without a reason or a block, and once the block is over', async () => {
      const { emergencies } = chain.contracts
      const { id: ada } = world.ada
      await refuse(emergencies.liftBlock(ada, REASON), 'EmergencyResponderNotBlocked', ada)
      await block()
      await refuse(emergencies.liftBlock(ada, ZeroHash), 'EmergencyReasonMissing')
      const [until] = await standing(world.ada)
      await chain.moveTo(Number(until) - 1)
      await refuse(emergencies.liftBlock(ada, REASON), 'EmergencyResponderNotBlocked', ada)
    })

    it('is possible to the last second, once', async () => {
      const { emergencies } = chain.contracts
      await block()
      const [until] = await standing(world.ada)
      await chain.moveTo(Number(until) - 2)
      await emergencies.liftBlock(world.ada.id, REASON)
      await refuse(emergencies.liftBlock(world.ada.id, REASON), 'EmergencyResponderNotBlocked', world.ada.id)
    })

    it('is for reviewers, none of whom lifts its own', async () => {
      const stranger = await byStranger(chain.provider, chain.contracts.emergencies)
      await block()
      await refuse(stranger.liftBlock(world.ada.id, REASON), 'AccessManagedUnauthorized')
      const { key, emergencies } = await reviewer('reviewing physician')
      await block(key, await world.other.hire(key, PHYSICIAN))
      await refuse(emergencies.liftBlock(key.id, REASON), 'ReviewerNotIndependent', ZeroHash)
      await chain.contracts.emergencies.liftBlock(key.id, REASON)
    })
  })
})
