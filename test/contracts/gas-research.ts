import { id } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { spendSigned } from '#test/contracts/ledger-requests.ts'
import { accessIdOf, openReleaseDesk } from '#test/contracts/release-requests.ts'
import { idOf, register } from '#test/contracts/requests.ts'
import { allowToCall, researchContracts, type Sent } from '#test/contracts/research-contracts.ts'
import { openWarrantDesk, warrantIdOf } from '#test/contracts/warrant-requests.ts'

const DAY_SECONDS = 86_400

/** Makes every call about research once, and again where the second costs less. */
export async function measureResearch(
  chain: TestChain,
  measure: (name: string, sent: Sent) => Promise<void>
): Promise<void> {
  await measureConsents(chain, measure)
  await measureReleases(chain, measure)
  await measureLedger(chain, measure)
  await measureWarrants(chain, measure)
}

async function measureConsents(chain: TestChain, measure: (name: string, sent: Sent) => Promise<void>): Promise<void> {
  const key = accountKey('participant')
  const consent = { patient: idOf(key.signer, id('salt')), consentId: id('consent of tests'), policy: id('policy') }
  await (await register(chain, key)).wait()
  await measure('ConsentRegistry.give, first', giveConsent(chain, key, { ...consent, revision: 1 }))
  await measure('ConsentRegistry.give, later', giveConsent(chain, key, { ...consent, revision: 2 }))
  await measure('ConsentRegistry.withdraw', withdrawConsent(chain, key, consent))
}

async function measureReleases(chain: TestChain, measure: (name: string, sent: Sent) => Promise<void>): Promise<void> {
  const stewards = [0, 1, 2, 3, 4].map(index => accountKey(`steward ${String(index)}`))
  const researcher = accountKey('researcher')
  const desk = openReleaseDesk(chain, stewards, 3)
  await desk.open()
  await measure('ReleaseRegistry.publishRelease, 3 of 5, first', desk.publish(await desk.terms(1)))
  await measure('ReleaseRegistry.publishRelease, 3 of 5, later', desk.publish(await desk.terms(2)))
  await measure('ReleaseRegistry.challenge', desk.challenge(1, id('proof'), researcher))
  const terms = await desk.accessTerms(researcher)
  await measure('ReleaseRegistry.grantAccess, 3 of 5', desk.grant(terms, researcher))
  await measure('ReleaseRegistry.revokeAccess', desk.revoke(accessIdOf(terms)))
  await measure('ReleaseRegistry.holdRelease', desk.hold(1))
  await measure('ReleaseRegistry.letGoRelease, 3 of 5', desk.letGo(1))
  await measure('ReleaseRegistry.withdrawRelease, 3 of 5', desk.withdraw(1))
}

async function measureLedger(chain: TestChain, measure: (name: string, sent: Sent) => Promise<void>): Promise<void> {
  const research = researchContracts(chain)
  const [keeper, researcher] = [accountKey('keeper'), accountKey('researcher').id]
  const spending = { dataset: id('dataset'), researcher, query: id('a'), microEpsilon: 250_000, sequence: 1 }
  await measure('PrivacyLedger.setCap', research.ledger.setCap(spending.dataset, 4_000_000, 1_000_000))
  const selector = research.ledger.interface.getFunction('spend').selector
  await allowToCall(research, await research.ledger.getAddress(), selector, keeper.id)
  await measure('PrivacyLedger.spendSigned, first', spendSigned(chain, keeper, spending))
  const later = { ...spending, query: id('b'), sequence: 2 }
  await measure('PrivacyLedger.spendSigned, later', spendSigned(chain, keeper, later))
}

async function measureWarrants(chain: TestChain, measure: (name: string, sent: Sent) => Promise<void>): Promise<void> {
  const auditors = [0, 1, 2, 3, 4].map(index => ({
    key: accountKey(`auditor ${String(index)}`),
    organisation: id(`organisation ${String(index)}`)
  }))
  const desk = openWarrantDesk(chain, auditors)
  await measure('EscrowWarrant.setAuditors, 5', desk.name())
  const terms = await desk.terms()
  await measure('EscrowWarrant.openWarrant', desk.open(terms))
  await measure('EscrowWarrant.objectTo', desk.object(warrantIdOf(terms), 4))
  await chain.moveTo((await chain.now()) + 3 * DAY_SECONDS)
  const share = `0x${'5a'.repeat(128)}`
  for (const index of [0, 1]) await (await desk.share(warrantIdOf(terms), index, share)).wait()
  await measure('EscrowWarrant.postShare, 128 bytes', desk.share(warrantIdOf(terms), 2, share))
  await measure('EscrowWarrant.execute', desk.execute(warrantIdOf(terms)))
}
