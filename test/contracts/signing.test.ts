import { expect } from 'chai'
import { id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { WAYS } from '#test/contracts/keys.ts'
import {
  BUNDLE,
  anchor,
  claim,
  idOf,
  register,
  registerGateway,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle
} from '#test/contracts/requests.ts'

describe('signed requests', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const way of WAYS) {
    describe(`by ${way.name}`, () => {
      it('registers a patient, changes its keys and hands it on', async () => {
        const { registry } = chain.contracts
        const [key, next] = [await way.create(chain, 'patient'), await way.create(chain, 'next')]
        const patient = idOf(key.signer, id('salt'))
        await expect(register(chain, key)).to.emit(registry, 'PatientRegistered').withArgs(patient, key.signer, BUNDLE)
        await expect(updateKeyBundle(chain, key, patient, id('new keys')))
          .to.emit(registry, 'KeyBundleUpdated')
          .withArgs(patient, id('new keys'))
        await expect(rotateSigner(chain, key, next, patient))
          .to.emit(registry, 'SignerRotated')
          .withArgs(patient, next.signer, 1)
        expect(await registry.signerOf(patient)).to.equal(next.signer)
        expect(await registry.keyBundleOf(patient)).to.equal(id('new keys'))
        await expect(updateKeyBundle(chain, key, patient, BUNDLE)).to.be.revertedWithCustomError(
          registry,
          'RequestSignatureInvalid'
        )
      })

      it('grants, claims and revokes', async () => {
        const { grants } = chain.contracts
        const [key, grantee] = [await way.create(chain, 'patient'), await way.create(chain, 'doctor')]
        const patient = idOf(key.signer, id('salt'))
        await register(chain, key)
        const grant = await signGrant(chain, key, patient, termsFor(grantee, { uses: 2 }))
        await expect(grant.submit()).to.emit(grants, 'Granted')
        await expect(claim(chain, grantee, grant.grantId, 1))
          .to.emit(grants, 'Claimed')
          .withArgs(grant.grantId, 1)
        await expect(revoke(chain, key, patient))
          .to.emit(grants, 'Revoked')
          .withArgs(patient, grant.grantId)
        expect(await grants.isLive(grant.grantId, await chain.now())).to.equal(false)
      })

      it('registers a gateway and anchors', async () => {
        const { anchors } = chain.contracts
        const key = await way.create(chain, 'gateway')
        const gateway = idOf(key.signer, id('salt'))
        await expect(registerGateway(chain, key))
          .to.emit(anchors, 'GatewayRegistered')
          .withArgs(gateway, key.signer, BUNDLE)
        await expect(anchor(chain, key, { gateway, sequence: 1, treeSize: 8, root: id('root') })).to.emit(
          anchors,
          'Anchored'
        )
      })

      it('is refused for a patient of another key', async () => {
        const [key, stranger] = [await way.create(chain, 'patient'), await way.create(chain, 'stranger')]
        await register(chain, key)
        const update = updateKeyBundle(chain, stranger, idOf(key.signer, id('salt')), BUNDLE)
        await expect(update).to.be.revertedWithCustomError(chain.contracts.registry, 'RequestSignatureInvalid')
      })
    })
  }
})
