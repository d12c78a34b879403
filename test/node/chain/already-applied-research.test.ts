import { expect } from 'chai'
import { id, type TransactionResponse } from 'ethers'
import type { RequestContract } from '#core/chain/contract-names.ts'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { spendSigned } from '#test/contracts/ledger-requests.ts'
import { accessIdOf, openReleaseDesk } from '#test/contracts/release-requests.ts'
import { idOf, register } from '#test/contracts/requests.ts'
import { allowToCall, researchContracts } from '#test/contracts/research-contracts.ts'
import { openWarrantDesk } from '#test/contracts/warrant-requests.ts'

describe('a request about research that is submitted again', () => {
  const [key, researcher] = [accountKey('patient'), accountKey('researcher')]
  const stewards = ['steward 0', 'steward 1'].map(accountKey)
  const consent = { patient: idOf(key.signer, id('salt')), consentId: id('consent') }
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  /** Whether a transaction, refused when it comes again, is told from one that was never applied. */
  async function isApplied(
    contract: RequestContract,
    sent: Pick<TransactionResponse, 'to' | 'data'>
  ): Promise<boolean> {
    const abi = CONTRACT_INTERFACES[contract]
    const call = abi.parseTransaction(sent)
    const error = await chain.provider.call({ to: sent.to, data: sent.data }).catch((cause: unknown) => cause)
    const refused = abi.parseError((error as { data: string }).data)
    if (call == null || refused == null) throw new Error('the request was not refused')
    const chainOf = { provider: chain.provider, deployment: chain.deployment }
    const [args, errorArgs] = [call.args.toArray(), refused.args.toArray()]
    return isAlreadyApplied(chainOf, { contract, method: call.name, args, errorName: refused.name, errorArgs })
  }

  it('is taken for applied if a consent says the same', async () => {
    await register(chain, key)
    const given = await giveConsent(chain, key, { ...consent, policy: id('policy'), revision: 1 })
    expect(await isApplied('ConsentRegistry', given)).to.equal(true)
    await giveConsent(chain, key, { ...consent, policy: id('other'), revision: 2 })
    expect(await isApplied('ConsentRegistry', given)).to.equal(false)
    const withdrawn = await withdrawConsent(chain, key, consent)
    expect(await isApplied('ConsentRegistry', withdrawn)).to.equal(true)
    expect(await isApplied('ConsentRegistry', given)).to.equal(false)
  })

  it('is taken for applied if a release, a challenge or an access says the same', async () => {
    const desk = openReleaseDesk(chain, stewards, 2)
    await desk.open()
    const published = await desk.publish(await desk.terms(1))
    expect(await isApplied('ReleaseRegistry', published)).to.equal(true)
    expect(await isApplied('ReleaseRegistry', await desk.challenge(1, id('proof'), researcher))).to.equal(true)
    const terms = await desk.accessTerms(researcher)
    const granted = await desk.grant(terms, researcher)
    expect(await isApplied('ReleaseRegistry', granted)).to.equal(true)
    expect(await isApplied('ReleaseRegistry', await desk.revoke(accessIdOf(terms)))).to.equal(true)
    expect(await isApplied('ReleaseRegistry', granted)).to.equal(false)
  })

  it('is taken for applied if a booking or a warrant says the same', async () => {
    const research = researchContracts(chain)
    await research.ledger.setCap(id('set'), 100, 50)
    const { selector } = research.ledger.interface.getFunction('spend')
    await allowToCall(research, await research.ledger.getAddress(), selector, key.id)
    const spending = { dataset: id('set'), researcher: researcher.id, query: id('a'), microEpsilon: 5, sequence: 1 }
    expect(await isApplied('PrivacyLedger', await spendSigned(chain, key, spending))).to.equal(true)

    const auditors = ['a', 'b', 'c', 'd', 'e'].map(name => ({ key: accountKey(name), organisation: id(name) }))
    const desk = openWarrantDesk(chain, auditors)
    await desk.name()
    const terms = await desk.terms()
    const opened = await desk.open(terms)
    expect(await isApplied('EscrowWarrant', opened)).to.equal(true)
    const other = { ...terms, notice: id('another notice') }
    const data = desk.warrants.interface.encodeFunctionData('openWarrant', [other, desk.set, []])
    expect(await isApplied('EscrowWarrant', { to: opened.to, data })).to.equal(false)
  })
})
