import { expect } from 'chai'
import { concat, id, keccak256 } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { DELAY_S, circleOf, setGuardians, signRecovery } from '#test/contracts/recovery-requests.ts'
import { claim, idOf, register, rotateSigner, signGrant, termsFor, updateKeyBundle } from '#test/contracts/requests.ts'

/** Fails unless the chain refuses the call. */
async function expectRefusal(call: () => Promise<unknown>): Promise<void> {
  const outcome = await call().then(
    () => 'taken',
    (error: unknown) => String(error)
  )
  expect(outcome).to.include('revert')
}

/** Contracts that are asked whether they signed, and do something else. */
const WALLETS = ['ReenteringWallet', 'GarbageWallet', 'ShortWallet', 'GreedyWallet'] as const

describe('signers that mean harm', () => {
  const key = accountKey('patient')
  const patient = idOf(key.signer, id('salt'))
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => register(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const wallet of WALLETS) {
    for (const isVerifier of [false, true]) {
      it(`${wallet}${isVerifier ? ', as a verifier,' : ''} signs nothing and changes nothing`, async () => {
        const { grants } = chain.contracts
        const args = wallet === 'ReenteringWallet' ? [await grants.getAddress()] : []
        const address = (await chain.deployMock(wallet, ...args)).toLowerCase()
        const signer = isVerifier ? concat([address, '0x01']) : address
        const open = await signGrant(chain, key, patient, { ...termsFor(key), grantee: address, uses: 3 })
        await open.submit()
        // What a reentering wallet takes for the grant to claim in the midst of the call.
        const hostile: Key = { signer, id: address, sign: () => Promise.resolve(open.grantId) }
        const circle = circleOf(patient, [hostile, accountKey('ann')])
        await setGuardians(chain, key, patient, { root: circle.tree.root, threshold: 2, delay: DELAY_S })
        const nonce = await grants.nonceOf(patient)
        for (const call of [
          () => register(chain, hostile),
          () => rotateSigner(chain, key, hostile, patient),
          () => updateKeyBundle(chain, { ...hostile, signer: key.signer }, patient, id('new keys')),
          () => claim(chain, hostile, open.grantId, 2),
          async () => (await signRecovery(chain, patient, hostile, { circle, guardians: [] }))(),
          async () => (await signRecovery(chain, patient, key, { circle, guardians: circle.inOrder([hostile, key]) }))()
        ]) {
          await expectRefusal(call)
        }
        expect(await grants.nonceOf(patient)).to.equal(nonce)
        expect(await grants.signerOf(patient)).to.equal(key.id)
        expect(await grants.termsOf(open.grantId)).to.equal(open.packed)
      })
    }
  }

  it('a precompile is no verifier, though one that repeats what it is asked seems to agree', async () => {
    const identity = '0x0000000000000000000000000000000000000004'
    const signer = concat([identity, '0x01'])
    const nobody: Key = { signer, id: `0x${keccak256(signer).slice(-40)}`, sign: () => Promise.resolve('0x') }
    const { grants } = chain.contracts
    await expect(register(chain, nobody)).to.be.revertedWithCustomError(grants, 'RequestSignatureInvalid')
    await expect(rotateSigner(chain, key, nobody, patient)).to.be.revertedWithCustomError(
      grants,
      'RequestSignatureInvalid'
    )
    expect(await grants.signerOf(patient)).to.equal(key.id)
  })
})
