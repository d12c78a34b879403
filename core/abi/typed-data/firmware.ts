/** Type tables of the requests to `FirmwareRegistry` (docs/specs/contracts.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `FirmwareRegistry.registerModel` */
export const modelRegistrationTypes: TypedDataTypes = typeTable('ModelRegistration', [
  'bytes32 manufacturer',
  'bytes32 modelClass',
  'uint256 deadline'
])

/** `FirmwareRegistry.publish` */
export const releaseTypes: TypedDataTypes = typeTable('Release', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 securityCounter',
  'uint40 sizeBytes',
  'bytes32 imageSha256',
  'bytes32 manifestDigest',
  'uint256 deadline'
])

/** `FirmwareRegistry.hold`; `revision` as `releaseOf` gives it */
export const holdTypes: TypedDataTypes = typeTable('Hold', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint32 revision',
  'uint256 deadline'
])

/** `FirmwareRegistry.unhold`; `revision` as `releaseOf` gives it */
export const unholdTypes: TypedDataTypes = typeTable('Unhold', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint32 revision',
  'uint256 deadline'
])

/** `FirmwareRegistry.yank` */
export const yankTypes: TypedDataTypes = typeTable('Yank', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint256 deadline'
])

/** `FirmwareRegistry.raiseMinimum` */
export const minimumRaiseTypes: TypedDataTypes = typeTable('MinimumRaise', [
  'bytes32 model',
  'uint32 minimumSequence',
  'uint256 deadline'
])
