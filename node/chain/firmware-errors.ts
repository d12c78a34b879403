/** What the errors of the firmware registry mean to a person, each under a stable code (docs/errors.md). */

/** Code and sentence by the name of the contract's error. */
export const FIRMWARE_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AttestorKnown: ['CHAIN_ATTESTOR_KNOWN', 'The attestor was named before, or removed for good.'],
  AttestorUnknown: ['CHAIN_ATTESTOR_UNKNOWN', 'Nobody named this attestor for the model.'],
  DeviceOutOfOrder: ['CHAIN_DEVICE_OUT_OF_ORDER', 'Devices must be given in the order of their ids, each once.'],
  DeviceUnknown: ['CHAIN_DEVICE_UNKNOWN', 'The key is not one of the model’s devices.'],
  GuardNotOnDuty: ['CHAIN_GUARD_NOT_ON_DUTY', 'Only the guard on duty may send this; send a signed request.'],
  HeartbeatStale: ['CHAIN_HEARTBEAT_STALE', 'Another sign of life came in between; sign it again.'],
  KeysetNotInForce: ['CHAIN_KEYSET_NOT_IN_FORCE', 'These are not the maker’s keys for this, or no longer.'],
  ManifestMismatch: ['CHAIN_MANIFEST_MISMATCH', 'The manifest is not the one that was signed.'],
  ManifestTooLarge: ['CHAIN_MANIFEST_TOO_LARGE', 'The manifest is larger than the chain takes.'],
  ModelIsSunset: ['CHAIN_MODEL_IS_SUNSET', 'The model has had its last release.'],
  ModelUnknown: ['CHAIN_MODEL_UNKNOWN', 'The model is not registered; register it first.'],
  NumberMissing: ['CHAIN_NUMBER_MISSING', 'The request names no release of the image.'],
  ReleaseImageMissing: ['CHAIN_RELEASE_IMAGE_MISSING', 'The release names no image.'],
  ReleaseImageYanked: ['CHAIN_RELEASE_IMAGE_YANKED', 'This image was withdrawn and cannot be published again.'],
  ReleaseKeysFrozen: [
    'CHAIN_RELEASE_KEYS_FROZEN',
    'The maker’s keys are being replaced; nothing is released until then.'
  ],
  ReleaseKindInvalid: [
    'CHAIN_RELEASE_KIND_INVALID',
    'A release is a feature or closes a hole; there is no other kind.'
  ],
  ReleaseNotDue: ['CHAIN_RELEASE_NOT_DUE', 'The release cannot start yet; try again later.'],
  ReleaseTooLarge: ['CHAIN_RELEASE_TOO_LARGE', 'The image does not fit into the model’s devices.'],
  RiskClassInvalid: ['CHAIN_RISK_CLASS_INVALID', 'There is no such risk class.'],
  RotationNotDue: ['CHAIN_ROTATION_NOT_DUE', 'The new keys cannot come in force yet; try again later.'],
  RotationNotProposed: ['CHAIN_ROTATION_NOT_PROPOSED', 'Nobody proposed these keys.'],
  SilenceInvalid: ['CHAIN_SILENCE_INVALID', 'Silence must be from 30 to 3650 days.'],
  StatementKnown: ['CHAIN_STATEMENT_KNOWN', 'This was said before.'],
  StewardsNotNeeded: ['CHAIN_STEWARDS_NOT_NEEDED', 'The maker is still there, so its stewards may do nothing.']
}
