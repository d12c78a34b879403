/** Type tables of the requests to `ReleaseRegistry` and `PrivacyLedger` (docs/specs/contracts-research.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `ReleaseRegistry.publishRelease` */
export const researchReleaseTypes: TypedDataTypes = typeTable('ResearchRelease', [
  'uint48 release',
  'bytes32 scheme',
  'bytes32 manifest',
  'bytes32 certificate',
  'bytes32 escrowRoot',
  'uint32 rows',
  'uint32 escrowed',
  'uint16 k',
  'uint8 tier',
  'uint32 dataUse',
  'uint64 windowBlock',
  'uint256 deadline'
])

/** `ReleaseRegistry.challenge` */
export const releaseChallengeTypes: TypedDataTypes = typeTable('ReleaseChallenge', [
  'uint48 release',
  'bytes32 proof',
  'uint256 deadline'
])

/** `ReleaseRegistry.holdRelease`; `revision` as `releaseOf` gives it */
export const releaseHoldTypes: TypedDataTypes = typeTable('ReleaseHold', [
  'uint48 release',
  'bytes32 reason',
  'uint32 revision',
  'uint256 deadline'
])

/** `ReleaseRegistry.letGoRelease`; `revision` as `releaseOf` gives it */
export const releaseLetGoTypes: TypedDataTypes = typeTable('ReleaseLetGo', [
  'uint48 release',
  'bytes32 reason',
  'uint32 revision',
  'uint256 deadline'
])

/** `ReleaseRegistry.withdrawRelease` */
export const releaseWithdrawalTypes: TypedDataTypes = typeTable('ReleaseWithdrawal', [
  'uint48 release',
  'bytes32 reason',
  'uint256 deadline'
])

/** `ReleaseRegistry.grantAccess`; stewards and researcher sign the same */
export const researchAccessTypes: TypedDataTypes = typeTable('ResearchAccess', [
  'uint48 release',
  'address researcher',
  'bytes32 agreement',
  'uint32 purpose',
  'uint40 expiresAt',
  'uint256 deadline'
])

/** `ReleaseRegistry.revokeAccess` */
export const researchAccessRevocationTypes: TypedDataTypes = typeTable('ResearchAccessRevocation', [
  'bytes32 access',
  'uint256 deadline'
])

/** `PrivacyLedger.spendSigned` */
export const privacySpendingTypes: TypedDataTypes = typeTable('PrivacySpending', [
  'bytes32 dataset',
  'address researcher',
  'bytes32 query',
  'uint48 microEpsilon',
  'uint32 sequence',
  'uint256 deadline'
])
