/** Type tables of the requests to `EmergencyAccess` (docs/specs/contracts-emergency.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `EmergencyAccess.setPolicy`; the contract takes the policy packed, the wallet shows it unpacked */
export const emergencyPolicyTypes: TypedDataTypes = typeTable('EmergencyPolicy', [
  'bytes32 patient',
  'bool isAllowed',
  'uint8 responders',
  'uint32 roles',
  'uint32 maxDuration',
  'uint32 coolDown',
  'uint256 nonce',
  'uint256 deadline'
])

/** `EmergencyAccess.breakGlass`, signed by each responder */
export const breakGlassTypes: TypedDataTypes = typeTable('BreakGlass', [
  'bytes32 patient',
  'bytes32 credential',
  'bytes32 secondCredential',
  'bytes32 salt',
  'bytes32 reason',
  'uint32 duration',
  'uint256 deadline'
])

/** `EmergencyAccess.end`, signed by the patient, a responder or a responder's organisation */
export const emergencyEndTypes: TypedDataTypes = typeTable('EmergencyEnd', ['bytes32 emergency', 'uint256 deadline'])

/** `EmergencyAccess.dispute` */
export const emergencyDisputeTypes: TypedDataTypes = typeTable('EmergencyDispute', [
  'bytes32 emergency',
  'bytes32 statement',
  'uint256 deadline'
])

/** `EmergencyAccess.reviewByCredential` */
export const emergencyReviewTypes: TypedDataTypes = typeTable('EmergencyReview', [
  'bytes32 emergency',
  'uint8 outcome',
  'bytes32 report',
  'bytes32 reviewerCredential',
  'uint256 deadline'
])
