import { id } from 'ethers'
import * as consents from '#core/abi/typed-data/consents.ts'
import * as research from '#core/abi/typed-data/research.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { giveConsent, withdrawConsent } from '#test/contracts/consent-requests.ts'
import { accountKey, type Key } from '#test/contracts/keys.ts'
import { spendSigned } from '#test/contracts/ledger-requests.ts'
import { accessIdOf, openReleaseDesk, type AccessTerms, type ReleaseDesk } from '#test/contracts/release-requests.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'
import { idOf, register } from '#test/contracts/requests.ts'
import { allowToCall, researchContracts } from '#test/contracts/research-contracts.ts'

const [patientKey, steward, second] = [accountKey('patient'), accountKey('steward'), accountKey('second steward')]
const [researcher, keeper] = [accountKey('researcher'), accountKey('keeper')]
const consent = { patient: idOf(patientKey.signer, id('salt')), consentId: id('consent') }
const [policy, dataset] = [id('policy'), id('set')]
const deskOf = (chain: TestChain, by: Key = steward): ReleaseDesk => openReleaseDesk(chain, [by, second], 2)

const ofConsents = {
  contract: 'ConsentRegistry',
  key: patientKey,
  prepare: (chain: TestChain) => register(chain, patientKey)
} as const
const ofReleases = {
  contract: 'ReleaseRegistry',
  key: steward,
  refused: 'ApprovalSignatureInvalid',
  async prepare(chain: TestChain): Promise<void> {
    await deskOf(chain).open()
    await deskOf(chain).publish(await deskOf(chain).terms(1))
  }
} as const
let access: AccessTerms
async function given(chain: TestChain): Promise<void> {
  await ofReleases.prepare(chain)
  access = await deskOf(chain).accessTerms(researcher)
}

/** The requests of patients, stewards, researchers and keepers of the ledger about research. */
export const RESEARCH_ROWS: readonly Row[] = [
  {
    ...ofConsents,
    name: 'give',
    types: consents.consentTypes,
    once: 'ConsentOutOfSequence',
    send: (chain, by) => giveConsent(chain, by, { ...consent, policy, revision: 1 })
  },
  {
    ...ofConsents,
    name: 'withdraw',
    types: consents.consentWithdrawalTypes,
    once: 'ConsentIsWithdrawn',
    send: (chain, by) => withdrawConsent(chain, by, consent)
  },
  {
    ...ofReleases,
    name: 'publishRelease',
    types: research.researchReleaseTypes,
    once: 'ResearchReleaseOutOfSequence',
    send: async (chain, by) => deskOf(chain, by).publish(await deskOf(chain).terms(2))
  },
  {
    ...ofReleases,
    name: 'challenge',
    refused: 'RequestSignatureInvalid',
    types: research.releaseChallengeTypes,
    once: 'ReleaseAlreadyChallenged',
    send: (chain, by) => deskOf(chain).challenge(1, id('proof'), by)
  },
  {
    ...ofReleases,
    name: 'holdRelease',
    types: research.releaseHoldTypes,
    once: 'ResearchReleaseStatusUnfit',
    send: (chain, by) => deskOf(chain, by).hold(1)
  },
  {
    ...ofReleases,
    name: 'letGoRelease',
    types: research.releaseLetGoTypes,
    once: 'ResearchReleaseStatusUnfit',
    prepare: async chain => {
      await ofReleases.prepare(chain)
      await deskOf(chain).hold(1)
    },
    send: (chain, by) => deskOf(chain, by).letGo(1)
  },
  {
    ...ofReleases,
    name: 'withdrawRelease',
    types: research.releaseWithdrawalTypes,
    once: 'ResearchReleaseStatusUnfit',
    send: (chain, by) => deskOf(chain, by).withdraw(1)
  },
  {
    ...ofReleases,
    name: 'grantAccess, by a steward',
    types: research.researchAccessTypes,
    once: 'AccessAlreadyGiven',
    prepare: given,
    send: async (chain, by) => deskOf(chain, by).grant({ ...access, deadline: await chain.deadline() }, researcher)
  },
  {
    ...ofReleases,
    name: 'grantAccess, by the researcher',
    key: researcher,
    refused: 'RequestSignatureInvalid',
    types: research.researchAccessTypes,
    once: 'AccessAlreadyGiven',
    prepare: given,
    send: async (chain, by) => deskOf(chain).grant({ ...access, deadline: await chain.deadline() }, by)
  },
  {
    ...ofReleases,
    name: 'revokeAccess',
    types: research.researchAccessRevocationTypes,
    once: 'AccessIsRevoked',
    prepare: async chain => {
      await given(chain)
      await deskOf(chain).grant(access, researcher)
    },
    send: (chain, by) => deskOf(chain, by).revoke(accessIdOf(access))
  },
  {
    contract: 'PrivacyLedger',
    name: 'spendSigned',
    key: keeper,
    types: research.privacySpendingTypes,
    once: 'QueryAlreadyBooked',
    async prepare(chain) {
      const contracts = researchContracts(chain)
      await contracts.ledger.setCap(dataset, 100, 10)
      const { selector } = contracts.ledger.interface.getFunction('spend')
      await allowToCall(contracts, await contracts.ledger.getAddress(), selector, keeper.id)
    },
    send: (chain, by) =>
      spendSigned(chain, by, { dataset, researcher: researcher.id, query: id('q'), microEpsilon: 5, sequence: 1 })
  }
]
