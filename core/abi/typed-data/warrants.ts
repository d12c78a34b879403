/** Type tables of the requests to `EscrowWarrant` (docs/specs/contracts-research.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `EscrowWarrant.openWarrant` */
export const warrantOpeningTypes: TypedDataTypes = typeTable('WarrantOpening', [
  'bytes32 row',
  'bytes32 legalBasis',
  'bytes32 caseDigest',
  'bytes32 notice',
  'bytes32 delayOrder',
  'bool isEmergency',
  'uint256 deadline'
])

/** `EscrowWarrant.objectTo` */
export const warrantObjectionTypes: TypedDataTypes = typeTable('WarrantObjection', [
  'bytes32 warrant',
  'bytes32 reason',
  'uint256 deadline'
])

/** `EscrowWarrant.cancelByCourt` */
export const warrantCancellationTypes: TypedDataTypes = typeTable('WarrantCancellation', [
  'bytes32 warrant',
  'bytes32 courtOrder',
  'uint256 deadline'
])

/** `EscrowWarrant.postNotice` */
export const warrantNoticeTypes: TypedDataTypes = typeTable('WarrantNotice', [
  'bytes32 warrant',
  'bytes32 notice',
  'uint256 deadline'
])

/** `EscrowWarrant.postShare` */
export const warrantShareTypes: TypedDataTypes = typeTable('WarrantShare', [
  'bytes32 warrant',
  'bytes share',
  'uint256 deadline'
])

/** `EscrowWarrant.review` */
export const warrantReviewTypes: TypedDataTypes = typeTable('WarrantReview', [
  'bytes32 warrant',
  'bytes32 finding',
  'uint256 deadline'
])
