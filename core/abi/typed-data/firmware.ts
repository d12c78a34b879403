/** Type tables of the requests to `FirmwareRegistry` (docs/specs/contracts-firmware.md). */
import { typeTable, type TypedDataTypes } from '#core/abi/typed-data/domain.ts'

/** `proposeRotation`; `keysets` as `keysetsDigest` makes it */
export const keysetRotationTypes: TypedDataTypes = typeTable('KeysetRotation', [
  'bytes32 manufacturer',
  'bytes32 keysets',
  'uint32 nonce',
  'uint256 deadline'
])

/** `cancelRotation` */
export const rotationCancellationTypes: TypedDataTypes = typeTable('RotationCancellation', [
  'bytes32 manufacturer',
  'uint32 nonce',
  'uint256 deadline'
])

/** `heartbeat` */
export const heartbeatSignTypes: TypedDataTypes = typeTable('HeartbeatSign', [
  'bytes32 manufacturer',
  'uint40 previous',
  'uint256 deadline'
])

/** `registerModel` */
export const modelRegistrationTypes: TypedDataTypes = typeTable('ModelRegistration', [
  'bytes32 manufacturer',
  'bytes32 modelClass',
  'uint8 riskClass',
  'uint16 slotMiB',
  'uint256 deadline'
])

/** `publish` */
export const releaseTypes: TypedDataTypes = typeTable('Release', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 securityCounter',
  'uint8 kind',
  'uint40 sizeBytes',
  'bytes32 imageSha256',
  'bytes32 manifestDigest',
  'uint40 notBefore',
  'uint16 keysetVersion',
  'uint256 deadline'
])

/** `raiseRollout`; `revision` as `releaseOf` gives it */
export const rolloutRaiseTypes: TypedDataTypes = typeTable('RolloutRaise', [
  'bytes32 model',
  'uint32 sequence',
  'uint16 bps',
  'uint24 revision',
  'uint256 deadline'
])

/** `cutRollout`; `revision` as `releaseOf` gives it */
export const rolloutCutTypes: TypedDataTypes = typeTable('RolloutCut', [
  'bytes32 model',
  'uint32 sequence',
  'uint16 bps',
  'uint24 revision',
  'uint256 deadline'
])

/** `raiseMinimum` */
export const minimumRaiseTypes: TypedDataTypes = typeTable('MinimumRaise', [
  'bytes32 model',
  'uint32 minimumSequence',
  'uint40 mandatoryBy',
  'uint256 deadline'
])

/** `proposeSunset`; `stewards` as `keysetDigest` makes it, `nonce` as `sunsetOf` gives it */
export const sunsetTypes: TypedDataTypes = typeTable('Sunset', [
  'bytes32 model',
  'uint32 finalSequence',
  'bytes32 stewards',
  'uint32 nonce',
  'uint256 deadline'
])

/** `cancelSunset`; `nonce` as `sunsetOf` gives it */
export const sunsetCancellationTypes: TypedDataTypes = typeTable('SunsetCancellation', [
  'bytes32 model',
  'uint32 nonce',
  'uint256 deadline'
])

/** `hold`; `revision` as `releaseOf` gives it */
export const holdTypes: TypedDataTypes = typeTable('Hold', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint24 revision',
  'uint256 deadline'
])

/** `confirmHold`; `revision` as `releaseOf` gives it */
export const holdConfirmationTypes: TypedDataTypes = typeTable('HoldConfirmation', [
  'bytes32 model',
  'uint32 sequence',
  'uint24 revision',
  'uint256 deadline'
])

/** `unhold`; `revision` as `releaseOf` gives it */
export const unholdTypes: TypedDataTypes = typeTable('Unhold', [
  'bytes32 model',
  'uint32 sequence',
  'uint32 reason',
  'uint24 revision',
  'uint256 deadline'
])

/** `yank` */
export const yankTypes: TypedDataTypes = typeTable('Yank', [
  'bytes32 model',
  'bytes32 imageSha256',
  'uint32 reason',
  'uint256 deadline'
])

/** `setDeviceKeys` */
export const deviceKeysTypes: TypedDataTypes = typeTable('DeviceKeys', [
  'bytes32 model',
  'bytes32 root',
  'uint32 devices',
  'uint32 version',
  'uint256 deadline'
])

/** One device's word in `tripBreaker`; `round` as `releaseOf` gives it */
export const failureTypes: TypedDataTypes = typeTable('Failure', [
  'bytes32 model',
  'uint32 sequence',
  'uint8 round',
  'uint256 deadline'
])

/** `addAttestor` */
export const attestorAdditionTypes: TypedDataTypes = typeTable('AttestorAddition', [
  'bytes32 model',
  'bytes signer',
  'uint256 deadline'
])

/** `removeAttestor` */
export const attestorRemovalTypes: TypedDataTypes = typeTable('AttestorRemoval', [
  'bytes32 model',
  'address attestor',
  'uint256 deadline'
])

/** `anchorReport` */
export const fleetReportTypes: TypedDataTypes = typeTable('FleetReport', [
  'bytes32 model',
  'uint32 epoch',
  'bytes32 root',
  'uint32 confirmed',
  'uint32 failed',
  'uint32 rolledBack',
  'uint256 deadline'
])

/** `addAdvisory` */
export const advisoryTypes: TypedDataTypes = typeTable('Advisory', [
  'bytes32 model',
  'uint32 fromSequence',
  'uint32 toSequence',
  'bytes32 vulnerability',
  'uint8 impact',
  'bytes32 documentDigest',
  'uint256 deadline'
])

/** `addRebuild` */
export const rebuildTypes: TypedDataTypes = typeTable('Rebuild', [
  'bytes32 model',
  'uint32 sequence',
  'bytes32 imageSha256',
  'uint256 deadline'
])
