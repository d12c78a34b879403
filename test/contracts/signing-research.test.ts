import { expect } from 'chai'
import { ZeroHash, id } from 'ethers'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import { WAYS, accountKey, type Key } from '#test/contracts/keys.ts'
import { spendSigned } from '#test/contracts/ledger-requests.ts'
import { accessIdOf, openReleaseDesk } from '#test/contracts/release-requests.ts'
import { idOf, register } from '#test/contracts/requests.ts'
import { allowToCall, researchContracts } from '#test/contracts/research-contracts.ts'
import { openWarrantDesk, warrantIdOf } from '#test/contracts/warrant-requests.ts'

const DAY_SECONDS = 86_400

describe('signed requests about research', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const way of WAYS) {
    describe(`by ${way.name}`, () => {
      const create = (label: string): Promise<Key> => way.create(chain, label)

      it('gives and withdraws a consent', async () => {
        const { consents } = researchContracts(chain)
        const key = await create('patient')
        const consent = { patient: idOf(key.signer, id('salt')), consentId: id('consent'), policy: id('policy') }
        await register(chain, key)
        await expect(giveConsent(chain, key, { ...consent, revision: 1 })).to.emit(consents, 'ConsentGiven')
        await expect(withdrawConsent(chain, key, consent)).to.emit(consents, 'ConsentWithdrawn')
      })

      it('publishes, challenges, holds, lets go and withdraws a release', async () => {
        const desk = openReleaseDesk(chain, [await create('steward'), accountKey('second steward')], 2)
        await desk.open()
        await expect(desk.publish(await desk.terms(1))).to.emit(desk.releases, 'ReleasePublished')
        await expect(desk.challenge(1, id('proof'), await create('anybody'))).to.emit(
          desk.releases,
          'ReleaseChallenged'
        )
        await expect(desk.hold(1)).to.emit(desk.releases, 'ReleaseHeld')
        await expect(desk.letGo(1)).to.emit(desk.releases, 'ReleaseLetGo')
        await expect(desk.withdraw(1)).to.emit(desk.releases, 'ReleaseWithdrawn')
      })

      it('grants a researcher access and takes it away', async () => {
        const desk = openReleaseDesk(chain, [await create('steward'), accountKey('second steward')], 2)
        const researcher = await create('researcher')
        await desk.open()
        await desk.publish(await desk.terms(1))
        const terms = await desk.accessTerms(researcher)
        await expect(desk.grant(terms, researcher)).to.emit(desk.releases, 'AccessGranted')
        await expect(desk.revoke(accessIdOf(terms))).to.emit(desk.releases, 'AccessRevoked')
      })

      it('books the price of a question', async () => {
        const research = researchContracts(chain)
        const { ledger } = research
        const keeper = await create('keeper')
        const spending = { dataset: id('set'), researcher: keeper.id, query: id('a'), microEpsilon: 5, sequence: 1 }
        await ledger.setCap(spending.dataset, 100, 10)
        const { selector } = ledger.interface.getFunction('spend')
        await allowToCall(research, await ledger.getAddress(), selector, keeper.id)
        await expect(spendSigned(chain, keeper, spending)).to.emit(ledger, 'Spent')
      })

      it('opens, stops and executes warrants', async () => {
        const auditors: { key: Key; organisation: string }[] = []
        for (const name of ['a', 'b', 'c', 'd', 'e']) {
          auditors.push({ key: await create(name), organisation: id(name) })
        }
        const desk = openWarrantDesk(chain, auditors)
        await desk.name()
        const [used, stopped, emergency] = [
          await desk.terms(),
          await desk.terms({
            caseDigest: id('other'),
            notice: ZeroHash,
            delayOrder: id('order')
          }),
          await desk.terms({ caseDigest: id('emergency'), isEmergency: true })
        ]
        for (const terms of [used, stopped, emergency])
          await expect(desk.open(terms)).to.emit(desk.warrants, 'WarrantOpened')
        await expect(desk.notify(warrantIdOf(stopped))).to.emit(desk.warrants, 'WarrantNoticed')
        await expect(desk.object(warrantIdOf(stopped), 0)).to.emit(desk.warrants, 'WarrantObjected')
        await expect(desk.cancelByCourt(warrantIdOf(stopped))).to.emit(desk.warrants, 'WarrantCancelled')
        await desk.cancelByCourt(warrantIdOf(emergency))
        await expect(desk.review(warrantIdOf(emergency), [1, 3])).to.emit(desk.warrants, 'WarrantReviewed')
        await chain.moveTo((await chain.now()) + 3 * DAY_SECONDS)
        for (const index of [0, 1, 2])
          await expect(desk.share(warrantIdOf(used), index)).to.emit(desk.warrants, 'WarrantShared')
        await expect(desk.execute(warrantIdOf(used))).to.emit(desk.warrants, 'WarrantExecuted')
      })
    })
  }
})
