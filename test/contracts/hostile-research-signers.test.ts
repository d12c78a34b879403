import { expect } from 'chai'
import { AbiCoder, id, keccak256 } from 'ethers'
import { researchReleaseTypes } from '#core/abi/typed-data/research.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { accessIdOf, openReleaseDesk } from '#test/contracts/release-requests.ts'
import { allowToCall, researchContracts } from '#test/contracts/research-contracts.ts'
import { spendSigned } from '#test/contracts/ledger-requests.ts'
import { openWarrantDesk } from '#test/contracts/warrant-requests.ts'

/** What test/contracts/mocks/HostileSigner.sol does, but for agreeing. */
const ATTACKS = ['reverts', 'burns all gas', 'answers nothing', 'answers rubbish', 'answers a megabyte', 'writes']
const AGREES = 6

describe('research contracts and hostile signers', () => {
  const honest = ['steward 0', 'steward 1'].map(accountKey)
  let chain: TestChain
  let address: string
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    address = await chain.deployMock('HostileSigner')
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** A key whose signature tells the hostile signer what to do: as a wallet, or as a verifier with a key. */
  const keyOf = (kind: number, isVerifier: boolean): Key => {
    const signer = isVerifier ? `${address.toLowerCase()}${'ab'.repeat(32)}` : address.toLowerCase()
    const signature = AbiCoder.defaultAbiCoder().encode(['uint256'], [BigInt(kind) << 248n])
    return {
      signer,
      id: isVerifier ? `0x${keccak256(signer).slice(-40)}` : address,
      sign: () => Promise.resolve(signature)
    }
  }

  for (const isVerifier of [false, true])
    for (const [kind, name] of ATTACKS.entries()) {
      const who = isVerifier ? 'a verifier' : 'a wallet'
      it(`counts ${who} that ${name} for nobody, and goes on without it`, async () => {
        const key = keyOf(kind, isVerifier)
        const research = researchContracts(chain)
        const desk = openReleaseDesk(chain, [...honest, key], 2)
        await desk.open()
        await expect(desk.publish(await desk.terms(1), [0, 2])).to.be.revertedWithCustomError(
          desk.releases,
          'ApprovalSignatureInvalid'
        )
        await desk.publish(await desk.terms(1), [0, 1])
        await expect(desk.hold(1, 2)).to.be.revertedWithCustomError(desk.releases, 'ApprovalSignatureInvalid')
        const terms = await desk.accessTerms(key)
        await expect(desk.grant(terms, key)).to.be.revertedWithCustomError(desk.releases, 'RequestSignatureInvalid')
        expect(await desk.releases.isAccessLive(accessIdOf(terms), await chain.now())).to.equal(false)

        await research.ledger.setCap(id('set'), 10, 10)
        const { selector } = research.ledger.interface.getFunction('spend')
        await allowToCall(research, await research.ledger.getAddress(), selector, key.id)
        const spending = { dataset: id('set'), researcher: key.id, query: id('a'), microEpsilon: 5, sequence: 1 }
        await expect(spendSigned(chain, key, spending)).to.be.revertedWithCustomError(
          research.ledger,
          'RequestSignatureInvalid'
        )

        const auditors = [key, ...['a', 'b', 'c', 'd'].map(accountKey)]
        const warrants = openWarrantDesk(
          chain,
          auditors.map((each, index) => ({ key: each, organisation: id(String(index)) }))
        )
        await warrants.name()
        await expect(warrants.open(await warrants.terms())).to.be.revertedWithCustomError(
          warrants.warrants,
          'ApprovalSignatureInvalid'
        )
        await warrants.open(await warrants.terms(), [1])
      })
    }

  it('takes a wallet at its word, as it is nobody’s but its owner’s', async () => {
    const desk = openReleaseDesk(chain, [...honest, keyOf(AGREES, false)], 2)
    await desk.open()
    await desk.publish(await desk.terms(1), [1, 2])
  })

  it('binds the signer’s bytes to the id: another key of the same verifier is another signer', async () => {
    const key = keyOf(AGREES, true)
    const desk = openReleaseDesk(chain, [...honest, key], 2)
    await desk.open()
    const other: Key = { ...key, signer: `${key.signer.slice(0, -2)}ff` }
    const terms = await desk.terms(1)
    const [first] = await desk.sign(researchReleaseTypes, terms, [0])
    const second = { index: 2, signer: other.signer, signature: await other.sign({}, {}, {}) }
    await expect(desk.releases.publishRelease(terms, desk.set, [first!, second])).to.be.revertedWithCustomError(
      desk.releases,
      'ApprovalSignerUnknown'
    )
  })
})
