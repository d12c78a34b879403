import { expect } from 'chai'
import { AbiCoder, id, keccak256 } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { PHYSICIAN, credentialIdOf, openOffice, type Office } from '#test/contracts/credential-requests.ts'
import {
  breakGlass,
  emergencyIdOf,
  emergencyOf,
  end,
  signBreakGlass,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { idOf, register } from '#test/contracts/requests.ts'

/** What test/contracts/mocks/ReenteringSigner.sol does. */
const [AGREE, REVERT, BURN, FLOOD, REENTER] = [0, 1, 2, 3, 4] as const
const NOBODY = '0x0000000000000000000000000000000000000000'

describe('CredentialRegistry and EmergencyAccess under attack', () => {
  let chain: TestChain
  let hostile: string
  let office: Office
  const patientKey = accountKey('patient')
  const patient = idOf(patientKey.signer, id('salt'))
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    hostile = await chain.deployMock('ReenteringSigner')
    office = openOffice(chain, accountKey('hospital'))
    await office.accredit()
    await register(chain, patientKey)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** A key whose signatures are orders to the hostile contract. */
  function keyOf(form: 'wallet' | 'verifier', kind: number, target = NOBODY, data = '0x'): Key {
    const signer = (form === 'wallet' ? hostile : `${hostile}c0ffee`).toLowerCase()
    const order = AbiCoder.defaultAbiCoder().encode(['uint8', 'address', 'bytes'], [kind, target, data])
    const key = accountKey('unused')
    return { ...key, signer, id: idOfSigner(signer), sign: () => Promise.resolve(order) }
  }

  for (const form of ['wallet', 'verifier'] as const) {
    describe(`by a hostile ${form} as the responder`, () => {
      let emergency: Emergency
      beforeEach(async () => {
        emergency = emergencyOf(patient, await office.hire(keyOf(form, AGREE), PHYSICIAN))
      })

      for (const [what, kind] of Object.entries({ reverts: REVERT, burns: BURN })) {
        it(`opens nothing if it ${what}`, async () => {
          const { emergencies } = chain.contracts
          const args = await signBreakGlass(chain, [keyOf(form, kind)], emergency)
          await expect(emergencies.breakGlass(...args, { gasLimit: 1_000_000 })).to.be.revertedWithCustomError(
            emergencies,
            'RequestSignatureInvalid'
          )
        })
      }

      it('opens nothing if it answers with 128 KiB of zeros', async () => {
        const { emergencies } = chain.contracts
        await expect(breakGlass(chain, [keyOf(form, FLOOD)], emergency)).to.be.revertedWithCustomError(
          emergencies,
          'RequestSignatureInvalid'
        )
      })

      it('cannot do anything from within the check of its signature', async () => {
        const { emergencies } = chain.contracts
        const address = await emergencies.getAddress()
        const inner = emergencyOf(patient, emergency.credential, 'inner')
        const again = await signBreakGlass(chain, [keyOf(form, AGREE)], inner)
        const data = emergencies.interface.encodeFunctionData('breakGlass', again)
        const outer = breakGlass(chain, [keyOf(form, REENTER, address, data)], emergency)
        await expect(outer).to.be.revertedWithCustomError(emergencies, 'RequestSignatureInvalid')
        expect(await emergencies.isActive(emergencyIdOf(inner), await chain.now())).to.equal(false)
        // By itself the inner call is good: only the place it was made from kept it out.
        await emergencies.breakGlass(...again)
      })

      it('cannot put off the end of its emergency, nor keep the patient from ending it', async () => {
        const { emergencies } = chain.contracts
        await breakGlass(chain, [keyOf(form, AGREE)], emergency)
        for (const kind of [REVERT, FLOOD]) {
          await expect(end(chain, keyOf(form, kind), emergency)).to.be.revertedWithCustomError(
            emergencies,
            'RequestSignatureInvalid'
          )
        }
        await end(chain, patientKey, emergency)
      })
    })

    it(`a hostile ${form} as a holder is issued nothing twice`, async () => {
      const { credentials } = chain.contracts
      const key = keyOf(form, AGREE)
      const prepared = await office.prepare([{ holder: key }])
      const data = credentials.interface.encodeFunctionData('issue', prepared)
      const reentering = keyOf(form, REENTER, await credentials.getAddress(), data)
      await expect(office.issue({ holder: reentering, salt: id('outer') })).to.be.revertedWithCustomError(
        credentials,
        'RequestSignatureInvalid'
      )
      await credentials.issue(...prepared)
      const credential = credentialIdOf(office.organisation, key, id('credential'))
      expect(await credentials.isValid(credential, key.id, await chain.now())).to.equal(true)
    })
  }
})

/** As Signers.sol has it: the address of an account, else the end of the hash. */
function idOfSigner(signer: string): string {
  return signer.length === 42 ? signer : `0x${keccak256(signer).slice(-40)}`
}
