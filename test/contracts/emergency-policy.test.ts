import { expect } from 'chai'
import { id } from 'ethers'
import { emergencyPolicyTypes } from '#core/abi/typed-data/emergencies.ts'
import { roleMask } from '#core/credential/roles.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { NURSE, PARAMEDIC, PHARMACIST, PHYSICIAN } from '#test/contracts/credential-requests.ts'
import {
  DAY,
  HOUR,
  NEVER_ALLOWED,
  STANDARD,
  breakGlass,
  emergencyIdOf,
  emergencyOf,
  packPolicy,
  setPolicy,
  type Policy
} from '#test/contracts/emergency-requests.ts'
import { inEmergencyWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { rotateSigner, type Sent } from '#test/contracts/requests.ts'

describe('EmergencyAccess: what a patient allows', () => {
  let chain: TestChain
  let world: EmergencyWorld
  const { refuse } = inEmergencyWorld((openedChain, openedWorld) => {
    ;[chain, world] = [openedChain, openedWorld]
  })
  const allow = (special: Partial<Policy>): Sent =>
    setPolicy(chain, world.patientKey, world.patient, { ...STANDARD, ...special })

  it('is the standard where nothing was said', async () => {
    const { emergencies } = chain.contracts
    expect(STANDARD.roles).to.equal(roleMask([PHYSICIAN, NURSE, PARAMEDIC]))
    expect([...(await emergencies.policyOf(world.patient))]).to.deep.equal([packPolicy(STANDARD), false])
    expect(await emergencies.policyNonceOf(world.patient)).to.equal(0n)
  })

  it('is set by the patient, at once, and told to everybody', async () => {
    const { emergencies } = chain.contracts
    const policy: Policy = { isAllowed: true, responders: 2, roles: 2, maxDuration: HOUR, coolDown: DAY }
    await expect(allow(policy)).to.emit(emergencies, 'EmergencyPolicySet').withArgs(world.patient, packPolicy(policy))
    expect([...(await emergencies.policyOf(world.patient))]).to.deep.equal([packPolicy(policy), true])
    expect(await emergencies.policyNonceOf(world.patient)).to.equal(1n)
  })

  it('keeps everybody out if the patient says so, until it says otherwise', async () => {
    const { ada, adas, patient } = world
    await setPolicy(chain, world.patientKey, patient, NEVER_ALLOWED)
    await refuse(breakGlass(chain, [ada], emergencyOf(patient, adas)), 'EmergencyNotAllowed', patient)
    await allow({})
    await breakGlass(chain, [ada], emergencyOf(patient, adas))
  })

  it('lets in the roles it names and no other', async () => {
    const { ada, ben, adas, bens, patient, adasAsPharmacist } = world
    await allow({ roles: roleMask([PHYSICIAN, PHARMACIST]) })
    await refuse(breakGlass(chain, [ben], emergencyOf(patient, bens)), 'EmergencyRoleExcluded', NURSE)
    const two = emergencyOf(patient, adas, 'two', bens)
    await refuse(breakGlass(chain, [ada, ben], two), 'EmergencyRoleExcluded', NURSE)
    await breakGlass(chain, [ada], emergencyOf(patient, adasAsPharmacist))
  })

  it('never lets in a role that fits into no mask', async () => {
    const { ada, hospital, patient } = world
    await allow({ roles: 0xfffffffe })
    for (const role of [32, 33, 256 + PHYSICIAN, 65_535]) {
      const credential = await hospital.hire(ada, role)
      await refuse(breakGlass(chain, [ada], emergencyOf(patient, credential)), 'EmergencyRoleExcluded', role)
    }
    await breakGlass(chain, [ada], emergencyOf(patient, await hospital.hire(ada, 31)))
  })

  it('may ask for two responders', async () => {
    const { ada, ben, adas, bens, patient } = world
    await allow({ responders: 2 })
    await refuse(breakGlass(chain, [ada], emergencyOf(patient, adas)), 'EmergencyRespondersTooFew', 1, 2)
    await breakGlass(chain, [ada, ben], emergencyOf(patient, adas, 'two', bens))
  })

  it('bounds how long an emergency lasts, up to a day', async () => {
    const { ada, adas, patient } = world
    await allow({ maxDuration: DAY })
    const [long, emergency] = [{ duration: DAY + 1 }, emergencyOf(patient, adas)]
    await refuse(breakGlass(chain, [ada], emergency, long), 'EmergencyDurationOutOfRange', DAY + 1, DAY)
    await breakGlass(chain, [ada], emergency, { duration: DAY })
  })

  it('may ask for a pause from the beginning of one to the next', async () => {
    const { ada, adas, patient } = world
    await breakGlass(chain, [ada], emergencyOf(patient, adas))
    const until = (await chain.now()) + DAY
    await allow({ coolDown: DAY })
    await refuse(breakGlass(chain, [ada], emergencyOf(patient, adas, 'next')), 'EmergencyTooSoon', until)
    await chain.moveTo(until)
    await breakGlass(chain, [ada], emergencyOf(patient, adas, 'next'))
  })

  it('may ask for a pause of a month, not longer', async () => {
    await allow({ coolDown: 30 * DAY })
  })

  it('leaves an emergency alone that was declared before', async () => {
    const { emergencies } = chain.contracts
    const emergency = emergencyOf(world.patient, world.adas)
    await breakGlass(chain, [world.ada], emergency)
    await setPolicy(chain, world.patientKey, world.patient, NEVER_ALLOWED)
    expect(await emergencies.isActive(emergencyIdOf(emergency), await chain.now())).to.equal(true)
  })

  for (const [what, policy] of Object.entries({
    'no responder': { responders: 0 },
    'three responders': { responders: 3 },
    'nobody’s role': { roles: 0 },
    'role 0 alone': { roles: 1 },
    'role 0 among others': { roles: 3 },
    'no time': { maxDuration: 0 },
    'more than a day': { maxDuration: DAY + 1 },
    'a month and a second between two': { coolDown: 30 * DAY + 1 },
    'nothing, in many words': { ...NEVER_ALLOWED, coolDown: 1 }
  })) {
    it(`refuses a policy of ${what}`, async () => {
      await refuse(allow(policy), 'EmergencyPolicyUnsound', packPolicy({ ...STANDARD, ...policy }))
    })
  }

  it('refuses a word whose first byte is neither yes nor no', async () => {
    const deadline = await chain.deadline()
    const word = packPolicy(STANDARD) | (2n << 104n)
    const call = chain.contracts.emergencies.setPolicy(world.patient, word, deadline, '0x', '0x')
    await refuse(call, 'EmergencyPolicyUnsound', word)
  })

  it('is set by nobody but the patient’s present signer, each signature once', async () => {
    const { emergencies } = chain.contracts
    const { patientKey, patient, ada } = world
    await refuse(setPolicy(chain, ada, patient, NEVER_ALLOWED), 'RequestSignatureInvalid')
    await refuse(setPolicy(chain, patientKey, id('x'), NEVER_ALLOWED), 'PatientUnknown', id('x'))
    const deadline = await chain.deadline()
    const value = { patient, ...STANDARD, nonce: 0, deadline }
    const signature = await patientKey.sign(chain.domainOf('EmergencyAccess'), emergencyPolicyTypes, value)
    const submit = (): Sent =>
      emergencies.setPolicy(patient, packPolicy(STANDARD), deadline, patientKey.signer, signature)
    await submit()
    await refuse(submit(), 'RequestSignatureInvalid')
    await rotateSigner(chain, patientKey, accountKey('next'), patient)
    await refuse(setPolicy(chain, patientKey, patient, NEVER_ALLOWED), 'RequestSignatureInvalid')
    await setPolicy(chain, accountKey('next'), patient, NEVER_ALLOWED)
  })

  it('is set by a signature over exactly this, for this chain and contract, in time', async () => {
    const { emergencies } = chain.contracts
    const { patientKey, patient } = world
    const deadline = await chain.deadline()
    const domain = chain.domainOf('EmergencyAccess')
    const value = { patient, ...STANDARD, nonce: 0, deadline }
    for (const [where, what] of [
      [{ ...domain, chainId: 1 }, value],
      [{ ...domain, verifyingContract: world.ada.id }, value],
      [chain.domainOf('AccessGrants'), value],
      [domain, { ...value, isAllowed: false }],
      [domain, { ...value, responders: 2 }],
      [domain, { ...value, roles: 2 }],
      [domain, { ...value, maxDuration: 1 }],
      [domain, { ...value, coolDown: 1 }],
      [domain, { ...value, nonce: 1 }],
      [domain, { ...value, deadline: deadline + 1 }]
    ] as const) {
      const signature = await patientKey.sign(where, emergencyPolicyTypes, what)
      const call = emergencies.setPolicy(patient, packPolicy(STANDARD), deadline, patientKey.signer, signature)
      await refuse(call, 'RequestSignatureInvalid')
    }
    await refuse(emergencies.setPolicy(patient, 0, 1, '0x', '0x'), 'RequestExpired', 1)
  })

  describe('while paused', () => {
    const strict: Policy = { isAllowed: true, responders: 2, roles: 2, maxDuration: HOUR, coolDown: DAY }

    it('becomes stricter, never looser', async () => {
      await allow(strict)
      await chain.contracts.emergencies.pause()
      for (const looser of [
        { responders: 1 },
        { roles: strict.roles | 4 },
        { maxDuration: HOUR + 1 },
        { coolDown: DAY - 1 }
      ]) {
        await refuse(allow({ ...strict, ...looser }), 'EnforcedPause')
      }
      await allow({ ...strict, maxDuration: HOUR - 1, coolDown: DAY + 1 })
      await setPolicy(chain, world.patientKey, world.patient, NEVER_ALLOWED)
      await refuse(allow(strict), 'EnforcedPause')
      await chain.contracts.emergencies.unpause()
      await allow(strict)
    })

    it('lets nobody down: emergencies are declared and ended as ever', async () => {
      await chain.contracts.emergencies.pause()
      await breakGlass(chain, [world.ada], emergencyOf(world.patient, world.adas))
    })
  })
})
