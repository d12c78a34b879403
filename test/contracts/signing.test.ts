import { expect } from 'chai'
import { TypedDataEncoder, id } from 'ethers'
import { accessRequestTypes } from '#core/abi/typed-data/grants.ts'
import { signBatch } from '#test/contracts/batch-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { WAYS, accountKey } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
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
        const { grants } = chain.contracts
        const [key, next] = [await way.create(chain, 'patient'), await way.create(chain, 'next')]
        const patient = idOf(key.signer, id('salt'))
        await expect(register(chain, key)).to.emit(grants, 'PatientRegistered').withArgs(patient, key.signer, BUNDLE)
        await expect(updateKeyBundle(chain, key, patient, id('new keys')))
          .to.emit(grants, 'KeyBundleUpdated')
          .withArgs(patient, id('new keys'))
        await expect(rotateSigner(chain, key, next, patient))
          .to.emit(grants, 'SignerRotated')
          .withArgs(patient, next.signer, 1)
        expect(await grants.signerOf(patient)).to.equal(next.id)
        expect(await grants.keyBundleOf(patient)).to.equal(id('new keys'))
        await expect(updateKeyBundle(chain, key, patient, BUNDLE)).to.be.revertedWithCustomError(
          grants,
          'SignerNotTheOne'
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

      it('names guardians, opens a recovery and vetoes it', async () => {
        const { grants } = chain.contracts
        const [key, next] = [await way.create(chain, 'patient'), await way.create(chain, 'next')]
        const guardians = [await way.create(chain, 'guardian'), accountKey('second guardian')]
        const patient = idOf(key.signer, id('salt'))
        const circle = circleOf(patient, guardians)
        await register(chain, key)
        await setGuardians(chain, key, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S })
        const open = () => signRecovery(chain, patient, next, { circle, guardians: circle.inOrder(guardians) })
        await expect((await open())()).to.emit(grants, 'RecoveryOpened')
        await expect(vetoRecovery(chain, key, patient)).to.emit(grants, 'RecoveryVetoed')
        await (
          await open()
        )()
        await chain.moveTo((await chain.now()) + DELAY_S)
        await grants.completeRecovery(patient, next.signer)
        await updateKeyBundle(chain, next, patient, id('new keys'))
      })

      it('grants in a batch', async () => {
        const { grants } = chain.contracts
        const [key, grantee] = [await way.create(chain, 'patient'), await way.create(chain, 'doctor')]
        await register(chain, key)
        const items = [{ ...termsFor(grantee, { uses: 2 }), scope: id('in the batch') }]
        const batch = await signBatch(chain, key, idOf(key.signer, id('salt')), items)
        await expect(batch.submit()).to.emit(grants, 'GrantBatchOpened')
        await batch.open(items[0]!)
        await expect(claim(chain, grantee, batch.grantIds[0]!, 1)).to.emit(grants, 'Claimed')
      })

      it('speaks for a patient to other contracts', async () => {
        const { grants } = chain.contracts
        const [key, stranger] = [await way.create(chain, 'patient'), await way.create(chain, 'stranger')]
        const patient = idOf(key.signer, id('salt'))
        await register(chain, key)
        const value = { requester: key.id, request: id('request'), deadline: 1 }
        const domain = chain.domainOf('BatchAnchors')
        const digest = TypedDataEncoder.hash(domain, accessRequestTypes, value)
        const signature = await key.sign(domain, accessRequestTypes, value)
        expect(await grants.isSignedBy(patient, key.signer, digest, signature)).to.equal(true)
        expect(await grants.isSignedBy(patient, key.signer, id('another'), signature)).to.equal(false)
        expect(await grants.isSignedBy(patient, stranger.signer, digest, signature)).to.equal(false)
        expect(await grants.isSignedBy(patient, '0x', digest, signature)).to.equal(false)
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
        await expect(update).to.be.revertedWithCustomError(chain.contracts.grants, 'SignerNotTheOne')
      })
    })
  }
})
