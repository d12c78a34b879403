import { expect } from 'chai'
import { id } from 'ethers'
import { inOrder, signBatch } from '#test/contracts/batch-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery } from '#test/contracts/recovery-requests.ts'
import { idOf, register, termsFor } from '#test/contracts/requests.ts'

describe('AccessGrants at its edges', () => {
  const [key, fresh, doctor] = [accountKey('patient'), accountKey('fresh'), accountKey('doctor')]
  const patient = idOf(key.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => register(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  it('takes a batch of 256', async () => {
    const items = Array.from({ length: 256 }, (_, i) => ({ ...termsFor(doctor), scope: id(`scope ${String(i)}`) }))
    const batch = await signBatch(chain, key, patient, inOrder(items))
    await batch.submit()
    expect(await chain.contracts.grants.isLiveInBatch(...batch.partOf(items[0]!), await chain.now())).to.equal(true)
  })

  it('completes a recovery in the second in which the delay is over', async () => {
    const { grants } = chain.contracts
    const circle = circleOf(patient, [accountKey('ann'), accountKey('bob')])
    await setGuardians(chain, key, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S })
    const guardians = circle.inOrder([accountKey('ann'), accountKey('bob')])
    await (
      await signRecovery(chain, patient, fresh, { circle, guardians })
    )()
    const readyAt = (await chain.now()) + DELAY_S
    await chain.moveTo(readyAt - 1)
    await grants.completeRecovery(patient, fresh.signer)
    expect([await chain.now(), await grants.signerOf(patient)]).to.deep.equal([readyAt, fresh.id])
  })
})
