import { expect } from 'chai'
import { Signature, ZeroHash, concat, id, toBeHex } from 'ethers'
import { breakGlassTypes, emergencyDisputeTypes, emergencyEndTypes } from '#core/abi/typed-data/emergencies.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { NURSE, PHARMACIST } from '#test/contracts/credential-requests.ts'
import {
  DAY,
  HOUR,
  REASON,
  STATEMENT,
  breakGlass,
  dispute,
  emergencyIdOf,
  emergencyOf,
  end,
  signBreakGlass,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { hospitalKey, inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { rotateSigner } from '#test/contracts/requests.ts'
import { forged } from '#test/contracts/stranger.ts'

/** Order of secp256k1: https://www.secg.org/sec2-v2.pdf, 2.4.1 */
const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

describe('EmergencyAccess', () => {
  let chain: TestChain
  let world: EmergencyWorld
  let emergency: Emergency
  const { refuse } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
    emergency = emergencyOf(world.patient, world.adas)
  })
  const isActive = async (which: Emergency, time?: number): Promise<boolean> =>
    chain.contracts.emergencies.isActive(emergencyIdOf(which), time ?? (await chain.now()))

  describe('breakGlass', () => {
    it('opens for its time, and tells everybody', async () => {
      const { emergencies } = chain.contracts
      const opened = breakGlass(chain, [world.ada], emergency)
      await opened
      const began = await chain.now()
      const { patient, credential, secondCredential, salt } = emergency
      await expect(opened)
        .to.emit(emergencies, 'GlassBroken')
        .withArgs(patient, emergencyIdOf(emergency), credential, secondCredential, salt, REASON, began + HOUR)
      expect([await isActive(emergency, began - 1), await isActive(emergency, began)]).to.deep.equal([false, true])
      expect(await isActive(emergency, began + HOUR - 1)).to.equal(true)
      expect(await isActive(emergency, began + HOUR)).to.equal(false)
      const state = await emergencies.stateOf(emergencyIdOf(emergency))
      expect([...state]).to.deep.equal([BigInt(began), BigInt(began + HOUR), 1n, 0n, 0n, false])
    })

    it('is what it is for an id that nobody declared: inactive and unknown', async () => {
      const { emergencies } = chain.contracts
      expect(await isActive(emergency)).to.equal(false)
      expect(await isActive(emergency, 0)).to.equal(false)
      await refuse(emergencies.stateOf(id('none')), 'EmergencyUnknown', id('none'))
    })

    it('takes a second responder where one would do', async () => {
      const two = emergencyOf(world.patient, world.adas, 'two', world.bens)
      await breakGlass(chain, [world.ada, world.ben], two)
      expect(await isActive(two)).to.equal(true)
      for (const { id: responder } of [world.ada, world.ben]) {
        expect((await chain.contracts.emergencies.responderOf(responder)).unreviewed).to.equal(1n)
      }
    })

    it('refuses the same emergency twice, also after it is over', async () => {
      const { emergencies } = chain.contracts
      const signed = await signBreakGlass(chain, [world.ada], emergency, { duration: 1 })
      await emergencies.breakGlass(...signed)
      await refuse(emergencies.breakGlass(...signed), 'EmergencyAlreadyDeclared', emergencyIdOf(emergency))
      await refuse(breakGlass(chain, [world.ada], emergency), 'EmergencyAlreadyDeclared', emergencyIdOf(emergency))
      expect(await isActive(emergency, (await chain.now()) + 1)).to.equal(false)
    })

    it('refuses late requests and those signed for next week', async () => {
      await refuse(breakGlass(chain, [world.ada], emergency, { deadline: 1 }), 'RequestExpired', 1)
      const far = (await chain.now()) + HOUR + 60
      await refuse(breakGlass(chain, [world.ada], emergency, { deadline: far }), 'EmergencyDeadlineTooFar', far)
      const never = (await chain.now()) + 31 * DAY
      await refuse(breakGlass(chain, [world.ada], emergency, { deadline: never }), 'RequestDeadlineTooFar', never)
    })

    it('refuses no reason, no duration, and a longer one than is allowed', async () => {
      await refuse(breakGlass(chain, [world.ada], emergency, { reason: ZeroHash }), 'EmergencyReasonMissing')
      for (const duration of [0, 4 * HOUR + 1, 2 ** 32 - 1]) {
        const call = breakGlass(chain, [world.ada], emergency, { duration })
        await refuse(call, 'EmergencyDurationOutOfRange', duration, 4 * HOUR)
      }
      await breakGlass(chain, [world.ada], emergency, { duration: 4 * HOUR })
    })

    it('refuses a patient that nobody registered', async () => {
      await refuse(breakGlass(chain, [world.ada], emergencyOf(id('x'), world.adas)), 'PatientUnknown', id('x'))
    })

    it('needs as many signatures as credentials, of two that are not one', async () => {
      const { ada, ben, adas, bens, patient, adasAsPharmacist } = world
      const two = emergencyOf(patient, adas, 'two', bens)
      await refuse(breakGlass(chain, [], emergency), 'EmergencySignaturesMiscounted', 0, 1)
      await refuse(breakGlass(chain, [ada, ben], emergency), 'EmergencySignaturesMiscounted', 2, 1)
      await refuse(breakGlass(chain, [ada], two), 'EmergencySignaturesMiscounted', 1, 2)
      await refuse(breakGlass(chain, [ada, ben, ben], two), 'EmergencySignaturesMiscounted', 3, 2)
      const one = emergencyOf(patient, adas, 'two', adas)
      await refuse(breakGlass(chain, [ada, ada], one), 'EmergencyResponderTwice', ada.id)
      const inTwoRoles = emergencyOf(patient, adas, 'two', adasAsPharmacist)
      await refuse(breakGlass(chain, [ada, ada], inTwoRoles), 'EmergencyRoleExcluded', PHARMACIST)
      const asNurse = emergencyOf(patient, adas, 'two', await world.hospital.hire(ada, NURSE))
      await refuse(breakGlass(chain, [ada, ada], asNurse), 'EmergencyResponderTwice', ada.id)
      await refuse(breakGlass(chain, [ben, ada], two), 'SignerNotTheOne', ada.id)
    })

    it('opens for no credential that is not valid now, and for nobody else’s', async () => {
      const { credentials } = chain.contracts
      const { ada, ben, adas, bens, patient, hospital, ritas, rita } = world
      const begun = await chain.now()
      await refuse(breakGlass(chain, [ben], emergency), 'SignerNotTheOne', ada.id)
      const unknown = emergencyOf(patient, id('none'))
      await refuse(breakGlass(chain, [ada], unknown), 'CredentialNotValid', id('none'))
      await refuse(breakGlass(chain, [rita], emergencyOf(patient, ritas)), 'EmergencyRoleExcluded', 19)

      await credentials.suspend(hospital.organisation)
      await refuse(breakGlass(chain, [ada], emergency), 'CredentialNotValid', adas)
      await credentials.reinstate(hospital.organisation)
      await hospital.revoke(ada, ada, id('credential 1'))
      await refuse(breakGlass(chain, [ada], emergency), 'CredentialNotValid', adas)
      const withRevoked = emergencyOf(patient, bens, 'two', adas)
      await refuse(breakGlass(chain, [ben, ada], withRevoked), 'CredentialNotValid', adas)
      await chain.moveTo(begun + 366 * DAY)
      await refuse(breakGlass(chain, [ben], emergencyOf(patient, bens)), 'CredentialNotValid', bens)
    })

    it('takes nothing that its responder did not sign', async () => {
      const { emergencies } = chain.contracts
      const [, reason, duration, deadline, [good]] = await signBreakGlass(chain, [world.ada], emergency)
      const other = { ...emergency, salt: id('another') }
      for (const call of [
        () => emergencies.breakGlass(other, reason, duration, deadline, [good!]),
        () => emergencies.breakGlass(emergency, id('x'), duration, deadline, [good!]),
        () => emergencies.breakGlass(emergency, reason, duration + 1, deadline, [good!]),
        () => emergencies.breakGlass(emergency, reason, duration, deadline + 1, [good!]),
        () => emergencies.breakGlass(emergency, reason, duration, deadline, [{ ...good!, signature: '0x' }])
      ]) {
        await refuse(call(), 'RequestSignatureInvalid')
      }
      const twin = [{ ...good!, signature: highS(String(good!.signature)) }]
      await refuse(emergencies.breakGlass(emergency, reason, duration, deadline, twin), 'RequestSignatureInvalid')
      await emergencies.breakGlass(emergency, reason, duration, deadline, [good!])
    })

    it('takes a signature for this chain and contract alone', async () => {
      const { emergencies } = chain.contracts
      const domain = chain.domainOf('EmergencyAccess')
      const deadline = (await chain.now()) + HOUR / 2
      const value = { ...emergency, reason: REASON, duration: HOUR, deadline }
      for (const where of [
        { ...domain, chainId: 1 },
        { ...domain, version: '2' },
        { ...domain, verifyingContract: world.ada.id },
        chain.domainOf('CredentialRegistry')
      ]) {
        const signature = await world.ada.sign(where, breakGlassTypes, value)
        const responders = [{ signer: world.ada.signer, signature }]
        const call = emergencies.breakGlass(emergency, REASON, HOUR, deadline, responders)
        await refuse(call, 'RequestSignatureInvalid')
      }
    })
  })

  describe('end', () => {
    it('by the patient, a responder, or a responder’s organisation; at once and for ever', async () => {
      const { emergencies } = chain.contracts
      const { patientKey, patient, ada, ben, adas, bens } = world
      for (const [i, by] of [patientKey, ada, ben, hospitalKey].entries()) {
        // One responder has three emergencies of a patient a day.
        await chain.moveTo((await chain.now()) + DAY)
        const two = emergencyOf(patient, adas, String(i), bens)
        await breakGlass(chain, [ada, ben], two)
        await expect(end(chain, by, two))
          .to.emit(emergencies, 'EmergencyEnded')
          .withArgs(emergencyIdOf(two), by.id)
        expect([await isActive(two), await isActive(two, (await chain.now()) + 1)]).to.deep.equal([false, false])
        await refuse(end(chain, by, two), 'EmergencyIsOver', emergencyIdOf(two))
      }
    })

    it('also with a credential that was revoked meanwhile, and an organisation that is suspended', async () => {
      const { credentials } = chain.contracts
      await breakGlass(chain, [world.ada], emergency)
      const another = { ...emergency, salt: id('another') }
      await breakGlass(chain, [world.ada], another)
      await world.hospital.revoke(world.ada, world.ada, id('credential 1'))
      await credentials.suspend(world.hospital.organisation)
      await end(chain, world.ada, emergency)
      await end(chain, hospitalKey, another)
    })

    it('by nobody else', async () => {
      await breakGlass(chain, [world.ada], emergency)
      for (const by of [world.ben, world.rita, accountKey('other hospital'), accountKey('stranger')]) {
        await refuse(end(chain, by, emergency), 'RequestSignatureInvalid')
      }
      const forger = accountKey('stranger')
      for (const by of [world.patientKey, world.ada, hospitalKey]) {
        await refuse(end(chain, forged(by, forger), emergency), 'RequestSignatureInvalid')
      }
      await rotateSigner(chain, world.patientKey, accountKey('next'), world.patient)
      await refuse(end(chain, world.patientKey, emergency), 'RequestSignatureInvalid')
      await end(chain, accountKey('next'), emergency)
    })

    it('takes a signature for this emergency, chain and contract alone, in time', async () => {
      const { emergencies } = chain.contracts
      await breakGlass(chain, [world.ada], emergency)
      const deadline = await chain.deadline()
      const domain = chain.domainOf('EmergencyAccess')
      const value = { emergency: emergencyIdOf(emergency), deadline }
      for (const [where, what] of [
        [{ ...domain, chainId: 1 }, value],
        [chain.domainOf('AccessGrants'), value],
        [domain, { ...value, emergency: id('x') }],
        [domain, { ...value, deadline: deadline + 1 }]
      ] as const) {
        const signature = await world.ada.sign(where, emergencyEndTypes, what)
        await refuse(emergencies.end(emergency, deadline, world.ada.signer, signature), 'RequestSignatureInvalid')
      }
      await refuse(emergencies.end(emergency, 1, '0x', '0x'), 'RequestExpired', 1)
    })

    it('only of what was declared and is not over', async () => {
      await refuse(end(chain, world.ada, emergency), 'EmergencyUnknown', emergencyIdOf(emergency))
      await breakGlass(chain, [world.ada], emergency)
      await chain.moveTo((await chain.now()) + HOUR)
      await refuse(end(chain, world.ada, emergency), 'EmergencyIsOver', emergencyIdOf(emergency))
    })
  })

  describe('dispute', () => {
    it('by the patient alone, once, at any time', async () => {
      const { emergencies } = chain.contracts
      await refuse(dispute(chain, world.patientKey, emergency), 'EmergencyUnknown', emergencyIdOf(emergency))
      await breakGlass(chain, [world.ada], emergency)
      await chain.moveTo((await chain.now()) + DAY)
      await refuse(dispute(chain, world.ada, emergency), 'RequestSignatureInvalid')
      await expect(dispute(chain, world.patientKey, emergency))
        .to.emit(emergencies, 'EmergencyDisputed')
        .withArgs(emergencyIdOf(emergency), STATEMENT)
      expect((await emergencies.stateOf(emergencyIdOf(emergency))).isDisputed).to.equal(true)
      await refuse(dispute(chain, world.patientKey, emergency), 'EmergencyAlreadyDisputed', emergencyIdOf(emergency))
    })

    it('takes a signature over exactly this, in time', async () => {
      const { emergencies } = chain.contracts
      const { patientKey } = world
      await breakGlass(chain, [world.ada], emergency)
      const deadline = await chain.deadline()
      const value = { emergency: emergencyIdOf(emergency), statement: id('x'), deadline }
      const signature = await patientKey.sign(chain.domainOf('EmergencyAccess'), emergencyDisputeTypes, value)
      const call = emergencies.dispute(emergency, STATEMENT, deadline, patientKey.signer, signature)
      await refuse(call, 'RequestSignatureInvalid')
      await refuse(emergencies.dispute(emergency, STATEMENT, 1, '0x', '0x'), 'RequestExpired', 1)
    })
  })
})

/** The other signature that plain ECDSA would take for the same message. */
function highS(signature: string): string {
  const { r, s, v } = Signature.from(signature)
  return concat([r, toBeHex(SECP256K1_N - BigInt(s), 32), v === 27 ? '0x1c' : '0x1b'])
}
