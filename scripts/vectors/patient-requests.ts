import { concat, id, keccak256 } from 'ethers'
import * as grants from '#core/abi/typed-data/grants.ts'
import * as patients from '#core/abi/typed-data/patients.ts'
import * as recovery from '#core/abi/typed-data/recovery.ts'
import { NO_EXPIRY, UNLIMITED_USES } from '#core/grant/terms.ts'
import { requestVectors, type RequestSample, type SampleAddresses } from '#scripts/vectors/request-vectors.ts'

const ADDRESSES: SampleAddresses = { AccessGrants: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' }
const SIGNER = '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'
/** A signer that is longer than an account: a verifier and a key. */
const LONG_SIGNER = `0x${'11'.repeat(84)}`
const GRANTEE = '0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0'

const [patient, scope] = [id('patient'), id('scope')]
const [keyBundle, root] = [id('bundle'), id('guardians')]

const open = { notBefore: 0, expiresAt: NO_EXPIRY, uses: UNLIMITED_USES }
const grant = { grantee: GRANTEE, ...open, notBefore: 1_794_900_000, rights: 5, scope }
const once = { grantee: GRANTEE, notBefore: 1_794_900_000, expiresAt: 1_794_986_400, rights: 1, uses: 1 }
const batch = [
  { ...once, scope: `0x${'0a'.repeat(32)}` },
  { grantee: GRANTEE, ...open, rights: 3, scope: `0x${'0b'.repeat(32)}` }
]

const REQUESTS: readonly RequestSample[] = [
  ['AccessGrants', patients.registrationTypes, { patient, signer: SIGNER, keyBundle }],
  ['AccessGrants', patients.keyBundleUpdateTypes, { patient, keyBundle, nonce: 3 }],
  ['AccessGrants', patients.signerRotationTypes, { patient, newSigner: LONG_SIGNER, nonce: 4 }],
  ['AccessGrants', recovery.guardianSetTypes, { patient, root, threshold: 2, delay: 259_200, nonce: 5 }],
  ['AccessGrants', recovery.recoveryTypes, { patient, newSigner: LONG_SIGNER, nonce: 6 }],
  ['AccessGrants', recovery.recoveryVetoTypes, { patient, nonce: 7 }],
  ['AccessGrants', grants.grantTypes, { patient, ...grant, epoch: 2 }],
  ['AccessGrants', grants.grantBatchTypes, { patient, grants: batch, epoch: 2 }],
  ['AccessGrants', grants.revocationTypes, { patient, scope }],
  ['AccessGrants', grants.claimTypes, { grantId: keccak256(concat([patient, scope])), usesLeft: 0 }],
  ['AccessGrants', grants.accessRequestTypes, { requester: GRANTEE, request: id('access request') }]
]

/** Vectors of the requests of patients and those whom they let in; the key in them is published and worthless. */
export async function patientRequestVectors(): Promise<Record<string, unknown>> {
  return {
    'patient-requests': await requestVectors(
      'Signed requests about patients, grants and recovery; docs/specs/contracts-patients.md',
      ADDRESSES,
      REQUESTS
    )
  }
}
