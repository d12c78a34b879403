import { id, ZeroHash } from 'ethers'
import * as consents from '#core/abi/typed-data/consents.ts'
import * as research from '#core/abi/typed-data/research.ts'
import * as warrants from '#core/abi/typed-data/warrants.ts'
import { requestVectors, type RequestSample, type SampleAddresses } from '#scripts/vectors/request-vectors.ts'

const ADDRESSES: SampleAddresses = {
  ConsentRegistry: '0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9',
  ReleaseRegistry: '0x5FC8d32690cc91D4c39d9d3abcBD16989F875707',
  PrivacyLedger: '0x0165878A594ca255338adfa4d48449f69242Eb8F',
  EscrowWarrant: '0xa513E6E4b8f2a923D98304ec87F64353C4D5C853'
}
const RESEARCHER = '0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0'
/** General research use, not commercial, with ethics approval, no re-identification. */
const DATA_USE = (1 << 1) | (1 << 5) | (1 << 10) | (1 << 22)
/** Health research with ethics approval and no re-identification. */
const PURPOSE = (1 << 2) | (1 << 10) | (1 << 22)

const [patient, consentId, access, warrant] = ['patient', 'consent', 'access', 'warrant'].map(id)
const [reason, policy] = ['reason', 'policy'].map(id)

const REQUESTS: readonly RequestSample[] = [
  ['ConsentRegistry', consents.consentTypes, { patient, consentId, policy, revision: 1 }],
  ['ConsentRegistry', consents.consentWithdrawalTypes, { patient, consentId }],
  [
    'ReleaseRegistry',
    research.researchReleaseTypes,
    {
      release: 1,
      scheme: id('scheme'),
      manifest: id('manifest'),
      certificate: id('certificate'),
      escrowRoot: id('escrow root'),
      rows: 15_081,
      escrowed: 15_081,
      k: 11,
      tier: 2,
      dataUse: DATA_USE,
      windowBlock: 1_000
    }
  ],
  ['ReleaseRegistry', research.releaseChallengeTypes, { release: 1, proof: id('proof') }],
  ['ReleaseRegistry', research.releaseHoldTypes, { release: 1, reason, revision: 0 }],
  ['ReleaseRegistry', research.releaseLetGoTypes, { release: 1, reason, revision: 1 }],
  ['ReleaseRegistry', research.releaseWithdrawalTypes, { release: 1, reason }],
  [
    'ReleaseRegistry',
    research.researchAccessTypes,
    { release: 1, researcher: RESEARCHER, agreement: id('agreement'), purpose: PURPOSE, expiresAt: 1_826_000_000 }
  ],
  ['ReleaseRegistry', research.researchAccessRevocationTypes, { access }],
  [
    'PrivacyLedger',
    research.privacySpendingTypes,
    { dataset: id('dataset'), researcher: RESEARCHER, query: id('query'), microEpsilon: 250_000, sequence: 1 }
  ],
  [
    'EscrowWarrant',
    warrants.warrantOpeningTypes,
    {
      row: id('row'),
      legalBasis: id('legal basis'),
      caseDigest: id('case'),
      notice: id('notice'),
      delayOrder: ZeroHash,
      isEmergency: false
    }
  ],
  ['EscrowWarrant', warrants.warrantObjectionTypes, { warrant, reason }],
  ['EscrowWarrant', warrants.warrantCancellationTypes, { warrant, courtOrder: id('court order') }],
  ['EscrowWarrant', warrants.warrantNoticeTypes, { warrant, notice: id('notice') }],
  ['EscrowWarrant', warrants.warrantShareTypes, { warrant, share: '0xc0ffee' }],
  ['EscrowWarrant', warrants.warrantReviewTypes, { warrant, finding: id('finding') }]
]

/** Vectors of the requests about research; the key in them is published and worthless. */
export async function researchRequestVectors(): Promise<Record<string, unknown>> {
  return {
    'research-requests': await requestVectors(
      'Signed requests about research; docs/specs/contracts-research.md',
      ADDRESSES,
      REQUESTS
    )
  }
}
