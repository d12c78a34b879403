import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { accessRequestTypes } from '#core/abi/typed-data/grants.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { WAYS, accountKey } from '#test/contracts/keys.ts'
import { requestAccess } from '#test/contracts/requests.ts'

describe('requests for access', () => {
  const doctor = accountKey('doctor')
  const nurse = accountKey('nurse')
  const request = id('salted request document')
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const way of WAYS) {
    it(`are made by ${way.name}, each once`, async () => {
      const { grants } = chain.contracts
      const key = await way.create(chain, 'doctor')
      await expect(requestAccess(chain, key, request))
        .to.emit(grants, 'AccessRequested')
        .withArgs(request, key.id)
      await expect(requestAccess(chain, key, request))
        .to.be.revertedWithCustomError(grants, 'AccessRequestMadeBefore')
        .withArgs(request)
    })
  }

  it('are not used up by somebody who was first with the same digest', async () => {
    const { grants } = chain.contracts
    await requestAccess(chain, nurse, request)
    await expect(requestAccess(chain, doctor, request))
      .to.emit(grants, 'AccessRequested')
      .withArgs(request, doctor.id)
  })

  it('are refused empty, late, or signed by another, for another chain, contract, requester, digest or deadline', async () => {
    const { grants } = chain.contracts
    const deadline = await chain.deadline()
    await expect(requestAccess(chain, doctor, ZeroHash)).to.be.revertedWithCustomError(grants, 'AccessRequestMissing')
    await expect(grants.requestAccess(request, 1, doctor.signer, '0x')).to.be.revertedWithCustomError(
      grants,
      'RequestExpired'
    )
    const tampers: [object, object][] = [
      [{}, { chainId: 1 }],
      [{}, { verifyingContract: await chain.otherContracts.grants.getAddress() }],
      [{ requester: nurse.id }, {}],
      [{ request: id('another') }, {}],
      [{ deadline: deadline + 1 }, {}]
    ]
    for (const [value, where] of tampers) {
      const domain = { ...chain.domainOf('AccessGrants'), ...where }
      const signature = await doctor.sign(domain, accessRequestTypes, {
        ...{ requester: doctor.id, request, deadline },
        ...value
      })
      await expect(grants.requestAccess(request, deadline, doctor.signer, signature)).to.be.revertedWithCustomError(
        grants,
        'RequestSignatureInvalid'
      )
    }
    const impostor = { ...nurse, signer: doctor.signer }
    await expect(requestAccess(chain, impostor, request)).to.be.revertedWithCustomError(
      grants,
      'RequestSignatureInvalid'
    )
  })
})
