import { id, ZeroHash } from 'ethers'
import * as credentials from '#core/abi/typed-data/credentials.ts'
import * as emergencies from '#core/abi/typed-data/emergencies.ts'
import { requestVectors, type RequestSample, type SampleAddresses } from '#scripts/vectors/request-vectors.ts'

const ADDRESSES: SampleAddresses = {
  CredentialRegistry: '0xB7f8BC63BbcaD18155201308C8f3540b07f84F5e',
  EmergencyAccess: '0xA51c1fc2f0D1a1b8494Ed1FE312d7C3a78Ed91C0'
}
const HOLDER = '0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0'
const DEADLINE = '1795000000'

const [organisation, patient, credential, emergency] = ['organisation', 'patient', 'credential', 'emergency'].map(id)
const [salt, reason, statement, report] = ['salt', 'reason', 'statement', 'report'].map(id)
const terms = {
  organisation,
  holder: HOLDER,
  role: 1,
  specialty: 2,
  notBefore: 1_794_900_000,
  expiresAt: 1_826_000_000
}

const REQUESTS: readonly RequestSample[] = [
  ['CredentialRegistry', credentials.organisationRotationTypes, { organisation, newSigner: HOLDER, nonce: 3 }],
  ['CredentialRegistry', credentials.credentialTypes, { ...terms, salt }],
  [
    'CredentialRegistry',
    credentials.credentialBatchTypes,
    {
      credentials: [
        { ...terms, salt, deadline: DEADLINE },
        { ...terms, role: 2, specialty: 11, salt: id('another salt'), deadline: DEADLINE }
      ]
    }
  ],
  ['CredentialRegistry', credentials.credentialRevocationTypes, { credential }],
  [
    'EmergencyAccess',
    emergencies.emergencyPolicyTypes,
    { patient, isAllowed: true, responders: 2, roles: 10, maxDuration: 7_200, coolDown: 3_600, nonce: 1 }
  ],
  [
    'EmergencyAccess',
    emergencies.breakGlassTypes,
    { patient, credential, secondCredential: ZeroHash, salt, reason, duration: 7_200 }
  ],
  ['EmergencyAccess', emergencies.emergencyEndTypes, { emergency }],
  ['EmergencyAccess', emergencies.emergencyDisputeTypes, { emergency, statement }],
  [
    'EmergencyAccess',
    emergencies.emergencyReviewTypes,
    { emergency, outcome: 1, report, reviewerCredential: id('credential of the reviewer') }
  ]
]

/** Vectors of the requests about credentials and emergencies; the key in them is published and worthless. */
export async function careRequestVectors(): Promise<Record<string, unknown>> {
  return {
    'care-requests': await requestVectors(
      'Signed requests about credentials and emergencies; docs/specs/contracts-credentials.md, docs/specs/contracts-emergency.md',
      ADDRESSES,
      REQUESTS
    )
  }
}
