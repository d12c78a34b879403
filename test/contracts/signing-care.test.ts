import { expect } from 'chai'
import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { PHYSICIAN, REVIEWER, credentialIdOf, openOffice } from '#test/contracts/credential-requests.ts'
import {
  NEVER_ALLOWED,
  STANDARD,
  breakGlass,
  dispute,
  emergencyIdOf,
  emergencyOf,
  end,
  reviewByCredential,
  setPolicy
} from '#test/contracts/emergency-requests.ts'
import { WAYS, type Key } from '#test/contracts/keys.ts'
import { idOf, register } from '#test/contracts/requests.ts'

describe('signed requests about credentials and emergencies', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const way of WAYS) {
    describe(`by ${way.name}`, () => {
      const make = async (label: string): Promise<Key> => way.create(chain, label)

      it('issue and revoke credentials and hand an organisation on', async () => {
        const { credentials } = chain.contracts
        const [hospital, next] = [await make('hospital'), await make('next')]
        const [ada, ben] = [await make('ada'), await make('ben')]
        const office = openOffice(chain, hospital)
        await office.accredit()
        await office.issue({ holder: ada }, { holder: ben })
        const now = await chain.now()
        for (const [holder, by] of [
          [ada, hospital],
          [ben, ben]
        ] as const) {
          const credential = credentialIdOf(office.organisation, holder, id('credential'))
          expect(await credentials.isValid(credential, holder.id, now)).to.equal(true)
          await expect(office.revoke(holder, by)).to.emit(credentials, 'CredentialRevoked')
          expect(await credentials.isValid(credential, holder.id, now)).to.equal(false)
        }
        await office.rotate(hospital, next)
        expect((await credentials.signerOf(office.organisation)).toLowerCase()).to.equal(next.id.toLowerCase())
        const late = office.issue({ holder: ada, salt: id('x') })
        await expect(late).to.be.revertedWithCustomError(credentials, 'SignerNotTheOne')
      })

      it('break the glass in pairs, end, dispute and review', async () => {
        const { emergencies } = chain.contracts
        const patientKey = await make('patient')
        const [ada, ben, rita] = [await make('ada'), await make('ben'), await make('rita')]
        const [hospital, other] = [
          openOffice(chain, await make('hospital')),
          openOffice(chain, await make('other hospital'))
        ]
        await hospital.accredit()
        await other.accredit()
        await register(chain, patientKey)
        const patient = idOf(patientKey.signer, id('salt'))
        const adas = await hospital.hire(ada, PHYSICIAN)
        const emergency = emergencyOf(patient, adas, 'two', await hospital.hire(ben, PHYSICIAN))
        await setPolicy(chain, patientKey, patient, { ...STANDARD, responders: 2 })
        await breakGlass(chain, [ada, ben], emergency)
        const isActive = async (): Promise<boolean> => emergencies.isActive(emergencyIdOf(emergency), await chain.now())
        expect(await isActive()).to.equal(true)
        await end(chain, patientKey, emergency)
        expect(await isActive()).to.equal(false)
        await dispute(chain, patientKey, emergency)
        await reviewByCredential(chain, rita, emergency, await other.hire(rita, REVIEWER))
        const byResponder = { ...emergency, salt: id('another') }
        await breakGlass(chain, [ada, ben], byResponder)
        await end(chain, ben, byResponder)
        await setPolicy(chain, patientKey, patient, NEVER_ALLOWED)
      })

      it('are refused from another key of the same kind', async () => {
        const { credentials, emergencies } = chain.contracts
        const [hospital, stranger, patientKey] = [await make('hospital'), await make('stranger'), await make('patient')]
        const office = openOffice(chain, hospital)
        await office.accredit()
        await register(chain, patientKey)
        const forged = { ...hospital, sign: stranger.sign }
        const issue = openOffice(chain, forged).issue({ holder: stranger })
        await expect(issue).to.be.revertedWithCustomError(credentials, 'RequestSignatureInvalid')
        const policy = setPolicy(chain, stranger, idOf(patientKey.signer, id('salt')), NEVER_ALLOWED)
        await expect(policy).to.be.revertedWithCustomError(emergencies, 'RequestSignatureInvalid')
        const ada = await make('ada')
        const emergency = emergencyOf(idOf(patientKey.signer, id('salt')), await office.hire(ada))
        const opened = breakGlass(chain, [{ ...ada, sign: stranger.sign }], emergency)
        await expect(opened).to.be.revertedWithCustomError(emergencies, 'RequestSignatureInvalid')
      })
    })
  }
})
