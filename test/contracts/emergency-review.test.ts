import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { emergencyReviewTypes } from '#core/abi/typed-data/emergencies.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { PHYSICIAN, REVIEWER, openOffice } from '#test/contracts/credential-requests.ts'
import {
  DAY,
  HOUR,
  JUSTIFIED,
  QUESTIONABLE,
  REPORT,
  UNJUSTIFIED,
  UNREVIEWED,
  breakGlass,
  emergencyIdOf,
  emergencyOf,
  end,
  reviewByCredential,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { LIMITS, inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { idOf, register } from '#test/contracts/requests.ts'
import { byStranger, forged } from '#test/contracts/stranger.ts'

describe('EmergencyAccess: rates and reviews', () => {
  let chain: TestChain
  let world: EmergencyWorld
  let emergency: Emergency
  const { refuse, wait, open, standing } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
    emergency = emergencyOf(world.patient, world.adas)
  })

  describe('rates', () => {
    it('stop a flood of emergencies of one patient, and let go on as time passes', async () => {
      const byBen = async (salt: string): Promise<void> => {
        await breakGlass(chain, [world.ben], emergencyOf(world.patient, world.bens, salt), { duration: 1 })
      }
      for (let i = 0; i < 3; i++) {
        await open(String(i))
        await byBen(String(i))
      }
      const third = await world.other.hire(accountKey('third'), PHYSICIAN)
      const byThird = (salt: string) =>
        breakGlass(chain, [accountKey('third')], emergencyOf(world.patient, third, salt), { duration: 1 })
      await refuse(byThird('seventh'), 'EmergencyPatientTooOften', world.patient)
      await wait(DAY / 6)
      await byThird('seventh')
      await refuse(byThird('eighth'), 'EmergencyPatientTooOften', world.patient)
    })

    it('stop a flood of emergencies by one responder, whatever credential it shows', async () => {
      const { ada, adas, bens, ben } = world
      const colleague = await world.other.hire(ada, PHYSICIAN)
      for (let i = 0; i < 12; i++) {
        const key = accountKey(`patient ${String(i)}`)
        await register(chain, key)
        const patient = idOf(key.signer, id('salt'))
        await breakGlass(chain, [ada], emergencyOf(patient, i % 2 === 0 ? adas : colleague))
      }
      await refuse(breakGlass(chain, [ada], emergency), 'EmergencyResponderTooOften', ada.id)
      const two = emergencyOf(world.patient, bens, 'two', adas)
      await refuse(breakGlass(chain, [ben, ada], two), 'EmergencyResponderTooOften', ada.id)
      await breakGlass(chain, [ben], emergencyOf(world.patient, bens))
      await wait(DAY / 12)
      await breakGlass(chain, [ada], emergency)
    })

    it('are bounded by governance, within bounds', async () => {
      const { emergencies } = chain.contracts
      const { perResponder, perPatient, window, reviewWithin, maxOverdue, blockFor } = await emergencies.limits()
      const present = { perResponder, perPatient, window, reviewWithin, maxOverdue, blockFor }
      expect(Object.values(present)).to.deep.equal(Object.values(LIMITS).map(BigInt))
      const changed = { ...LIMITS, perPatient: 2 }
      await expect(emergencies.setLimits(changed))
        .to.emit(emergencies, 'LimitsChanged')
        .withArgs(Object.values(changed))
      await open('0')
      await refuse(open('1'), 'EmergencyResponderTooOften', world.ada.id)
      await breakGlass(chain, [world.ben], emergencyOf(world.patient, world.bens))
      await refuse(open('2'), 'EmergencyPatientTooOften', world.patient)
      const stranger = await byStranger(chain.provider, emergencies)
      await refuse(stranger.setLimits(LIMITS), 'AccessManagedUnauthorized')
    })

    for (const [name, values] of Object.entries({
      perResponder: [0, 1, 1001],
      perPatient: [0, 1, 1001],
      window: [0, HOUR - 1, DAY + 1],
      reviewWithin: [0, DAY - 1, 30 * DAY + 1],
      maxOverdue: [0, 9],
      blockFor: [365 * DAY + 1]
    })) {
      it(`refuse a ${name} that would do away with emergencies or with their bounds`, async () => {
        const { emergencies } = chain.contracts
        for (const value of values)
          await refuse(emergencies.setLimits({ ...LIMITS, [name]: value }), 'LimitsOutOfRange')
      })
    }

    it('take the outermost bounds', async () => {
      const { emergencies } = chain.contracts
      const least = { perResponder: 2, perPatient: 2, window: HOUR, reviewWithin: DAY, maxOverdue: 1, blockFor: 0 }
      const most = {
        perResponder: 1000,
        perPatient: 1000,
        window: DAY,
        reviewWithin: 30 * DAY,
        maxOverdue: 8,
        blockFor: 365 * DAY
      }
      await emergencies.setLimits(least)
      await emergencies.setLimits(most)
    })
  })

  describe('review', () => {
    it('by governance or a reviewer of another hospital, once', async () => {
      const { emergencies } = chain.contracts
      const [first, second] = [await open('first'), await open('second')]
      await wait(1)
      expect(await standing(world.ada)).to.deep.equal([0n, 2n, false])
      const governor = await (emergencies.runner as unknown as { getAddress(): Promise<string> }).getAddress()
      await expect(emergencies.review(first, QUESTIONABLE, REPORT))
        .to.emit(emergencies, 'EmergencyReviewed')
        .withArgs(emergencyIdOf(first), QUESTIONABLE, REPORT, governor)
      await expect(reviewByCredential(chain, world.rita, second, world.ritas))
        .to.emit(emergencies, 'EmergencyReviewed')
        .withArgs(emergencyIdOf(second), JUSTIFIED, REPORT, world.rita.id)
      expect(await standing(world.ada)).to.deep.equal([0n, 0n, false])
      expect((await emergencies.stateOf(emergencyIdOf(first))).outcome).to.equal(BigInt(QUESTIONABLE))
      for (const each of [first, second]) {
        await refuse(emergencies.review(each, JUSTIFIED, REPORT), 'EmergencyAlreadyReviewed', emergencyIdOf(each))
        const again = reviewByCredential(chain, world.rita, each, world.ritas)
        await refuse(again, 'EmergencyAlreadyReviewed', emergencyIdOf(each))
      }
    })

    it('goes on while paused', async () => {
      const first = await open('first')
      await chain.contracts.emergencies.pause()
      await wait(1)
      await reviewByCredential(chain, world.rita, first, world.ritas)
    })

    it('waits until the emergency is over', async () => {
      const { emergencies } = chain.contracts
      await breakGlass(chain, [world.ada], emergency)
      const expiresAt = (await chain.now()) + HOUR
      const early = emergencies.review(emergency, JUSTIFIED, REPORT)
      await refuse(early, 'EmergencyNotOver', emergencyIdOf(emergency), expiresAt)
      await end(chain, world.patientKey, emergency)
      await emergencies.review(emergency, JUSTIFIED, REPORT)
    })

    it('finds something, has a report, and is of what was declared', async () => {
      const { emergencies } = chain.contracts
      const first = await open('first')
      await wait(1)
      await refuse(emergencies.review(first, UNREVIEWED, REPORT), 'EmergencyReviewEmpty')
      await refuse(emergencies.review(first, JUSTIFIED, ZeroHash), 'EmergencyReviewEmpty')
      const unknown = { ...first, salt: id('x') }
      await refuse(emergencies.review(unknown, JUSTIFIED, REPORT), 'EmergencyUnknown', emergencyIdOf(unknown))
    })

    it('is governance’s for nobody else', async () => {
      const first = await open('first')
      await wait(1)
      const stranger = await byStranger(chain.provider, chain.contracts.emergencies)
      await refuse(stranger.review(first, JUSTIFIED, REPORT), 'AccessManagedUnauthorized')
    })

    it('is never by the responders’ own organisation, nor by a responder', async () => {
      const { hospital, other, ada, ben, rita, ritas, adas, patient } = world
      const colleague = await hospital.hire(accountKey('colleague'), REVIEWER)
      const adasAsReviewer = await other.hire(ada, REVIEWER)
      const third = openOffice(chain, accountKey('third hospital'))
      await third.accredit()
      const thirds = await third.hire(ben, PHYSICIAN)
      const otherPhysician = await other.hire(rita, PHYSICIAN)
      const byOne = await open('one')
      const two = emergencyOf(patient, adas, 'two', otherPhysician)
      await breakGlass(chain, [ada, rita], two, { duration: 1 })
      const apart = emergencyOf(patient, adas, 'apart', thirds)
      await breakGlass(chain, [ada, ben], apart, { duration: 1 })
      await wait(1)
      const own = reviewByCredential(chain, accountKey('colleague'), byOne, colleague)
      await refuse(own, 'ReviewerNotIndependent', colleague)
      const self = reviewByCredential(chain, ada, byOne, adasAsReviewer)
      await refuse(self, 'ReviewerNotIndependent', adasAsReviewer)
      await refuse(reviewByCredential(chain, rita, two, ritas), 'ReviewerNotIndependent', ritas)
      await reviewByCredential(chain, rita, apart, ritas)
    })

    it('is by a reviewer whose credential is valid, and whose signature it is', async () => {
      const { emergencies, credentials } = chain.contracts
      const { other, rita, ritas, ben, ada } = world
      const first = await open('first')
      await wait(1)
      const notReviewer = await other.hire(rita, PHYSICIAN)
      await refuse(reviewByCredential(chain, rita, first, notReviewer), 'ReviewerRoleMissing', notReviewer)
      await refuse(reviewByCredential(chain, ben, first, ritas), 'SignerNotTheOne', rita.id)
      await refuse(reviewByCredential(chain, forged(rita, ada), first, ritas), 'RequestSignatureInvalid')
      await refuse(reviewByCredential(chain, rita, first, id('none')), 'CredentialNotValid', id('none'))
      const unknown = { ...first, credential: id('none') }
      await refuse(reviewByCredential(chain, rita, unknown, ritas), 'CredentialUnknown', id('none'))
      await credentials.suspend(other.organisation)
      await refuse(reviewByCredential(chain, rita, first, ritas), 'CredentialNotValid', ritas)
      const reviewer = { signer: rita.signer, signature: '0x' }
      const late = emergencies.reviewByCredential(first, JUSTIFIED, REPORT, ritas, 1, reviewer)
      await refuse(late, 'RequestExpired', 1)
    })

    it('takes a signature over exactly this, for this chain and contract', async () => {
      const { emergencies } = chain.contracts
      const { rita, ritas } = world
      const first = await open('first')
      await wait(1)
      const deadline = await chain.deadline()
      const domain = chain.domainOf('EmergencyAccess')
      const value = {
        emergency: emergencyIdOf(first),
        outcome: JUSTIFIED,
        report: REPORT,
        reviewerCredential: ritas,
        deadline
      }
      for (const [where, what] of [
        [{ ...domain, chainId: 1 }, value],
        [chain.domainOf('CredentialRegistry'), value],
        [domain, { ...value, emergency: id('x') }],
        [domain, { ...value, outcome: UNJUSTIFIED }],
        [domain, { ...value, report: id('x') }],
        [domain, { ...value, reviewerCredential: id('x') }],
        [domain, { ...value, deadline: deadline + 1 }]
      ] as const) {
        const signature = await rita.sign(where, emergencyReviewTypes, what)
        const call = emergencies.reviewByCredential(first, JUSTIFIED, REPORT, ritas, deadline, {
          signer: rita.signer,
          signature
        })
        await refuse(call, 'RequestSignatureInvalid')
      }
    })
  })

  describe('overdue reviews', () => {
    it('stop a responder until enough of them are given, in any order', async () => {
      const { emergencies } = chain.contracts
      await emergencies.setLimits({ ...LIMITS, perPatient: 12 })
      const opened = [await open('0'), await open('1'), await open('2'), await open('3')]
      await wait(3 * DAY - 100)
      expect(await standing(world.ada)).to.deep.equal([0n, 4n, false])
      await open('in time')
      await wait(200)
      expect(await standing(world.ada)).to.deep.equal([0n, 5n, true])
      await refuse(open('late'), 'EmergencyReviewsOverdue', world.ada.id)
      await emergencies.review(opened[2]!, JUSTIFIED, REPORT)
      await refuse(open('late'), 'EmergencyReviewsOverdue', world.ada.id)
      await emergencies.review(opened[0]!, JUSTIFIED, REPORT)
      expect(await standing(world.ada)).to.deep.equal([0n, 3n, false])
      await open('late')
    })

    it('stop a second responder, too', async () => {
      const { ada, ben, adas, bens, patient } = world
      for (const salt of ['0', '1', '2']) await open(salt)
      await wait(3 * DAY)
      const two = emergencyOf(patient, bens, 'two', adas)
      await refuse(breakGlass(chain, [ben, ada], two), 'EmergencyReviewsOverdue', ada.id)
      await breakGlass(chain, [ben], emergencyOf(patient, bens))
    })
  })
})
