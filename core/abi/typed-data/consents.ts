/** Type tables of the requests to `ConsentRegistry` (docs/specs/contracts-research.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `ConsentRegistry.give`; `revision` after the change */
export const consentTypes: TypedDataTypes = typeTable('Consent', [
  'bytes32 patient',
  'bytes32 consentId',
  'bytes32 policy',
  'uint32 revision',
  'uint256 deadline'
])

/** `ConsentRegistry.withdraw` */
export const consentWithdrawalTypes: TypedDataTypes = typeTable('ConsentWithdrawal', [
  'bytes32 patient',
  'bytes32 consentId',
  'uint256 deadline'
])
