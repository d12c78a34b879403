import { ZeroHash } from 'ethers'
import type { TestChain } from '#test/contracts/chain.ts'
import { measureResearch } from '#test/contracts/gas-research.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { SCHEME, schemeIdOf } from '#test/contracts/release-requests.ts'
import { researchContracts } from '#test/contracts/research-contracts.ts'
import { openWarrantDesk, warrantIdOf } from '#test/contracts/warrant-requests.ts'
import { CAREFUL } from '#test/scripts/observer/habits.ts'
import { CONSENT_TEXT } from '#test/scripts/observer/secrets.ts'

/** Stewards of releases, keepers of the budget and auditors do all that they can. */
export async function runResearch(chain: TestChain): Promise<void> {
  const { ledger, releases } = researchContracts(chain)
  const [dataset, regulator] = [CAREFUL.salt(), accountKey('regulator').id]
  await ledger.setCap(dataset, 4_000_000, 1_000_000)
  await ledger.setRegulator(regulator, true)
  await ledger.spend(dataset, regulator, CAREFUL.commit(CONSENT_TEXT), 250_000, 1)
  await measureResearch(chain, async (_name, sent) => {
    await (await sent).wait()
  })
  await releases.retireScheme(schemeIdOf(SCHEME))
  await openRows(chain)
}

/** A warrant in an emergency that a court stops and auditors review, and one of which the patient is told later. */
async function openRows(chain: TestChain): Promise<void> {
  const auditors = [0, 1, 2, 3, 4].map(index => ({
    key: accountKey(`auditor ${String(index)}`),
    organisation: CAREFUL.salt()
  }))
  const desk = openWarrantDesk(chain, auditors)
  const terms = (isEmergency: boolean) =>
    desk.terms({ row: CAREFUL.salt(), legalBasis: CAREFUL.commit('law'), caseDigest: CAREFUL.salt(), isEmergency })
  await desk.name()
  const emergency = await terms(true)
  await desk.open(emergency)
  await desk.cancelByCourt(warrantIdOf(emergency))
  await desk.review(warrantIdOf(emergency), [1, 3])
  const delayed = { ...(await terms(false)), notice: ZeroHash, delayOrder: CAREFUL.commit('order') }
  await desk.open(delayed)
  await desk.notify(warrantIdOf(delayed), CAREFUL.commit('notice'))
}
