import { expect } from 'chai'
import { ZeroAddress, ZeroHash, id } from 'ethers'
import { privacySpendingTypes } from '#core/abi/typed-data/research.ts'
import type { PrivacyLedger } from '#core/abi/types/PrivacyLedger.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { spendSigned, type Spending } from '#test/contracts/ledger-requests.ts'
import { refusalBy } from '#test/contracts/refusal.ts'
import {
  allowToCall,
  otherDomains,
  researchContracts,
  withHighS,
  type ResearchContracts
} from '#test/contracts/research-contracts.ts'

const DATASET = id('dataset')
/** Of the function whose callers keep the ledger. */
const SPEND_SELECTOR = id('spend(bytes32,address,bytes32,uint48,uint32)').slice(0, 10)
const YEAR_SECONDS = 365 * 86_400
/** Four epsilon a year in all, one to each researcher; a fifth of the whole is for regulators. */
const [CAP, RESEARCHER_CAP] = [4_000_000, 1_000_000]

describe('PrivacyLedger', () => {
  const keeper = accountKey('keeper')
  const researchers = Array.from({ length: 5 }, (_, index) => accountKey(`researcher ${String(index)}`).id)
  const [researcher = '', second = ''] = researchers
  let chain: TestChain
  let research: ResearchContracts
  let ledger: PrivacyLedger
  before(async () => {
    chain = await openChain()
    research = researchContracts(chain)
    ledger = research.ledger
  })
  beforeEach(async () => {
    await ledger.setCap(DATASET, CAP, RESEARCHER_CAP)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  const spend = (query: string, microEpsilon: number, sequence: number, by = researcher) =>
    ledger.spend(DATASET, by, id(query), microEpsilon, sequence)
  const refuse = refusalBy(() => ledger)
  const budget = async (): Promise<bigint[]> => [...(await ledger.budgetOf(DATASET))]

  describe('setCap', () => {
    it('sets the caps of a data set and of each researcher in it', async () => {
      await expect(ledger.setCap(DATASET, 10, 5))
        .to.emit(ledger, 'CapSet')
        .withArgs(DATASET, 10, 5)
      expect(await budget()).to.deep.equal([10n, 5n, 0n, 0n, 0n])
      await refuse(ledger.setCap(DATASET, 10, 11), 'CapsMalformed')
      await ledger.setCap(DATASET, 10, 10)
    })

    it('never falls below what was spent this year', async () => {
      await spend('a', 700_000, 1)
      await refuse(ledger.setCap(DATASET, 699_999, 0), 'CapBelowSpent', 700_000, 699_999)
      await ledger.setCap(DATASET, 700_000, 0)
      await refuse(spend('b', 1, 2), 'BudgetExceeded', 0, 1)
      await ledger.setCap(DATASET, CAP, 600_000)
      await refuse(spend('b', 1, 2), 'ResearcherBudgetExceeded', 0, 1)
    })

    it('belongs to governance alone, as do regulators, bookings and pausing', async () => {
      const plain = ledger.connect(chain.provider)
      const from = { from: keeper.id }
      const calls = [
        () => plain.setCap.staticCall(DATASET, 1, 1, from),
        () => plain.setRegulator.staticCall(researcher, true, from),
        () => plain.spend.staticCall(DATASET, researcher, id('a'), 1, 1, from),
        () => plain.pause.staticCall(from),
        () => plain.unpause.staticCall(from)
      ]
      for (const call of calls) await refuse(call(), 'AccessManagedUnauthorized', keeper.id)
    })
  })

  describe('spend', () => {
    it('books the price before the answer, for data set, researcher and question', async () => {
      await expect(spend('a', 250_000, 1))
        .to.emit(ledger, 'Spent')
        .withArgs(DATASET, 1, researcher, id('a'), 250_000)
      await spend('b', 50_000, 2, second)
      expect(await budget()).to.deep.equal([BigInt(CAP), BigInt(RESEARCHER_CAP), 300_000n, 2n, 300_000n])
      expect([...(await ledger.spentBy(DATASET, researcher))]).to.deep.equal([250_000n, 250_000n])
      expect(await ledger.bookedFor(DATASET, id('a'))).to.equal(250_000n)
      expect(await ledger.bookedFor(DATASET, id('c'))).to.equal(0n)
      expect(await ledger.bookedFor(id('another'), id('a'))).to.equal(0n)
    })

    it('books no question twice: its answer exists', async () => {
      await spend('a', 250_000, 1)
      await refuse(spend('a', 250_000, 2), 'QueryAlreadyBooked', id('a'))
      await refuse(spend('a', 1, 2, second), 'QueryAlreadyBooked', id('a'))
    })

    it('goes up to a researcher’s cap to the last millionth, and not beyond', async () => {
      await spend('a', RESEARCHER_CAP - 1, 1)
      await refuse(spend('b', 2, 2), 'ResearcherBudgetExceeded', 1, 2)
      await spend('b', 1, 2)
      await refuse(spend('c', 1, 3), 'ResearcherBudgetExceeded', 0, 1)
      await spend('c', 1, 3, second)
    })

    it('leaves a fifth of the cap to regulators', async () => {
      for (const [index, each] of researchers.slice(0, 3).entries())
        await spend(`q${String(index)}`, RESEARCHER_CAP, index + 1, each)
      const [fourth = '', regulator = ''] = researchers.slice(3)
      await refuse(spend('x', 200_001, 4, fourth), 'BudgetExceeded', 200_000, 200_001)
      await spend('x', 200_000, 4, fourth)
      await refuse(spend('y', 1, 5, regulator), 'BudgetExceeded', 0, 1)
      await expect(ledger.setRegulator(regulator, true)).to.emit(ledger, 'RegulatorSet').withArgs(regulator, true)
      expect(await ledger.isRegulator(regulator)).to.equal(true)
      await spend('y', 800_000, 5, regulator)
      await refuse(spend('z', 1, 6, regulator), 'BudgetExceeded', 0, 1)
      await refuse(spend('z', 1, 6, fourth), 'BudgetExceeded', 0, 1)
      await ledger.setRegulator(regulator, false)
      expect(await ledger.isRegulator(regulator)).to.equal(false)
    })

    it('begins anew with each year, and keeps the sum of all', async () => {
      await spend('a', RESEARCHER_CAP, 1)
      const year = Math.floor((await chain.now()) / YEAR_SECONDS)
      await chain.moveTo((year + 1) * YEAR_SECONDS - 10)
      await refuse(spend('b', 1, 2), 'ResearcherBudgetExceeded', 0, 1)
      await chain.moveTo((year + 1) * YEAR_SECONDS)
      await spend('b', RESEARCHER_CAP, 2)
      expect(await budget()).to.deep.equal([
        BigInt(CAP),
        BigInt(RESEARCHER_CAP),
        BigInt(RESEARCHER_CAP),
        2n,
        2n * BigInt(RESEARCHER_CAP)
      ])
      expect([...(await ledger.spentBy(DATASET, researcher))]).to.deep.equal([1_000_000n, 2_000_000n])
    })

    it('refuses bookings out of sequence, without price, question or researcher, and of data sets without a cap', async () => {
      await refuse(spend('a', 1, 0), 'SpendingOutOfSequence', 1, 0)
      await refuse(spend('a', 1, 2), 'SpendingOutOfSequence', 1, 2)
      await refuse(spend('a', 0, 1), 'SpendingMalformed')
      await refuse(spend('a', 1, 1, ZeroAddress), 'SpendingMalformed')
      await refuse(ledger.spend(DATASET, researcher, ZeroHash, 1, 1), 'SpendingMalformed')
      await refuse(ledger.spend(id('other'), researcher, id('a'), 1, 1), 'BudgetExceeded', 0, 1)
      await spend('a', 1, 1)
      await refuse(spend('b', 1, 1), 'SpendingOutOfSequence', 2, 1)
    })

    it('stops while the ledger is paused', async () => {
      await ledger.pause()
      await refuse(spend('a', 1, 1), 'EnforcedPause')
      await ledger.setCap(DATASET, 1, 1)
      await ledger.unpause()
      await ledger.setCap(DATASET, CAP, RESEARCHER_CAP)
      await spend('a', 1, 1)
    })
  })

  describe('spendSigned', () => {
    const spending: Spending = { dataset: DATASET, researcher, query: id('a'), microEpsilon: 5, sequence: 1 }
    const allow = async (delaySeconds = 0): Promise<void> =>
      allowToCall(research, await ledger.getAddress(), SPEND_SELECTOR, keeper.id, delaySeconds)

    it('books by a keeper’s signature', async () => {
      await refuse(spendSigned(chain, keeper, spending), 'LedgerKeeperUnknown', keeper.id)
      await allow()
      await expect(spendSigned(chain, keeper, spending))
        .to.emit(ledger, 'Spent')
        .withArgs(DATASET, 1, researcher, id('a'), 5)
      await refuse(spendSigned(chain, keeper, spending), 'QueryAlreadyBooked', id('a'))
      await refuse(spendSigned(chain, keeper, { ...spending, query: id('b') }), 'SpendingOutOfSequence', 2, 1)
      await refuse(spendSigned(chain, accountKey('x'), spending), 'LedgerKeeperUnknown', accountKey('x').id)
    })

    it('refuses a keeper who would have to wait, and everybody while it is paused', async () => {
      await allow(60)
      await refuse(spendSigned(chain, keeper, spending), 'LedgerKeeperUnknown', keeper.id)
      const other = accountKey('other keeper')
      await allowToCall(research, await ledger.getAddress(), SPEND_SELECTOR, other.id)
      await ledger.pause()
      await refuse(spendSigned(chain, other, spending), 'EnforcedPause')
    })

    it('refuses signatures for anything else', async () => {
      await allow()
      const deadline = await chain.deadline()
      const value = { ...spending, deadline }
      const submit = (signature: string, special: Partial<Spending> = {}, until = deadline): Promise<unknown> => {
        const { dataset, researcher: who, query, microEpsilon, sequence } = { ...spending, ...special }
        return ledger.spendSigned(dataset, who, query, microEpsilon, sequence, until, keeper.signer, signature)
      }
      for (const where of otherDomains(chain, 'PrivacyLedger'))
        await refuse(submit(await keeper.sign(where, privacySpendingTypes, value)), 'RequestSignatureInvalid')
      const good = await keeper.sign(chain.domainOf('PrivacyLedger'), privacySpendingTypes, value)
      await refuse(submit(withHighS(good)), 'RequestSignatureInvalid')
      await refuse(submit(good, {}, deadline + 1), 'RequestSignatureInvalid')
      await refuse(submit(good, {}, 1), 'RequestExpired', 1)
      await refuse(submit(good, {}, 2 ** 40), 'RequestDeadlineTooFar', 2 ** 40)
      const changes = [
        { dataset: id('x') },
        { researcher: second },
        { query: id('x') },
        { microEpsilon: 6 },
        { sequence: 2 }
      ]
      for (const change of changes) await refuse(submit(good, change), 'RequestSignatureInvalid')
      await submit(good)
    })
  })
})
