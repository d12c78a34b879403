import { expect } from 'chai'
import { id } from 'ethers'
import { signBatch } from '#test/contracts/batch-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery, vetoRecovery } from '#test/contracts/recovery-requests.ts'
import {
  SCOPE,
  claim,
  idOf,
  register,
  requestAccess,
  revoke,
  rotateSigner,
  signGrant,
  termsFor,
  updateKeyBundle
} from '#test/contracts/requests.ts'

describe('AccessGrants, paused', () => {
  const key = accountKey('patient')
  const next = accountKey('next')
  const doctor = accountKey('doctor')
  const guardians = ['ann', 'bob'].map(accountKey)
  const patient = idOf(key.signer, id('salt'))
  const circle = circleOf(patient, guardians)
  const terms = { root: circle.tree.root, threshold: 2, delay: DELAY_S }
  const items = [{ ...termsFor(doctor, { uses: 1 }), scope: id('in the batch') }]
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    await register(chain, key)
    await setGuardians(chain, key, patient, terms)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const signOpening = () => signRecovery(chain, patient, next, { circle, guardians: circle.inOrder(guardians) })

  it('takes nothing new, and all of it again afterwards', async () => {
    const { grants } = chain.contracts
    await (await signOpening())()
    await chain.moveTo((await chain.now()) + DELAY_S)
    await grants.pause()
    const grant = await signGrant(chain, key, patient, termsFor(doctor))
    const batch = await signBatch(chain, key, patient, items)
    const opening = await signOpening()
    const stopped = [
      () => register(chain, next),
      grant.submit,
      grant.submitCompact,
      batch.submit,
      () => requestAccess(chain, doctor, id('request')),
      opening,
      () => grants.completeRecovery(patient, next.signer)
    ]
    for (const call of stopped) await expect(call()).to.be.revertedWithCustomError(grants, 'EnforcedPause')
    await grants.unpause()
    await grant.submitCompact()
    await batch.submit()
    await grants.completeRecovery(patient, next.signer)
  })

  it('never keeps a patient or a grantee from what is theirs', async () => {
    const { grants } = chain.contracts
    await (await signGrant(chain, key, patient, termsFor(doctor, { uses: 2 }))).submit()
    const batch = await signBatch(chain, key, patient, items)
    await batch.submit()
    await (await signOpening())()
    await grants.pause()
    await claim(chain, doctor, (await signGrant(chain, key, patient, termsFor(doctor))).grantId, 1)
    await batch.open(items[0]!)
    await claim(chain, doctor, batch.grantIds[0]!, 0)
    await vetoRecovery(chain, key, patient)
    await revoke(chain, key, patient)
    await (await chain.sentBy(walletOf('patient'))).grants.revokeByAccount(patient, id('never opened'))
    await updateKeyBundle(chain, key, patient, id('new keys'))
    await setGuardians(chain, key, patient, { ...terms, delay: 2 * DELAY_S })
    await rotateSigner(chain, key, next, patient)
    expect(await grants.signerOf(patient)).to.equal(next.id)
  })

  it('is governance’s to do, and gives it nothing else', async () => {
    const { grants } = chain.contracts
    const stranger = await chain.sentBy(walletOf('stranger'))
    for (const call of [() => stranger.grants.pause(), () => stranger.grants.unpause()]) {
      await expect(call()).to.be.revertedWithCustomError(grants, 'AccessManagedUnauthorized')
    }
    await expect(grants.unpause()).to.be.revertedWithCustomError(grants, 'ExpectedPause')
    await expect(grants.revokeByAccount(patient, SCOPE)).to.be.revertedWithCustomError(grants, 'SignerNotTheOne')
  })
})
