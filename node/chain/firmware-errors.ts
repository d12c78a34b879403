/** What the errors of the firmware registry mean to a person, each under a stable code (docs/errors.md). */

/** Code and sentence by the name of the contract's error. */
export const FIRMWARE_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AdvisoryRangeInvalid: [
    'CHAIN_ADVISORY_RANGE_INVALID',
    'The advisory is about no release, or about one that is not published.'
  ],
  AttestorKnown: ['CHAIN_ATTESTOR_KNOWN', 'The attestor was named before, or removed for good.'],
  AttestorUnknown: ['CHAIN_ATTESTOR_UNKNOWN', 'Nobody named this attestor for the model.'],
  DeviceKeysOutOfSequence: [
    'CHAIN_DEVICE_KEYS_OUT_OF_SEQUENCE',
    'The list of devices is not the next version of its model’s.'
  ],
  DeviceOutOfOrder: ['CHAIN_DEVICE_OUT_OF_ORDER', 'Devices must be given in the order of their ids, each once.'],
  DeviceUnknown: ['CHAIN_DEVICE_UNKNOWN', 'The key is not one of the model’s devices.'],
  FailuresTooFew: ['CHAIN_FAILURES_TOO_FEW', 'Too few devices failed to stop the release.'],
  GuardNotOnDuty: ['CHAIN_GUARD_NOT_ON_DUTY', 'Only the guard on duty may send this; send a signed request.'],
  HeartbeatStale: ['CHAIN_HEARTBEAT_STALE', 'Another sign of life came in between; sign it again.'],
  ImageNotYanked: ['CHAIN_IMAGE_NOT_YANKED', 'This image was not withdrawn.'],
  KeysetNotInForce: ['CHAIN_KEYSET_NOT_IN_FORCE', 'These are not the maker’s keys for this, or no longer.'],
  ManifestMismatch: ['CHAIN_MANIFEST_MISMATCH', 'The manifest is not the one that was signed.'],
  ManifestTooLarge: ['CHAIN_MANIFEST_TOO_LARGE', 'The manifest is larger than the chain takes.'],
  ManufacturerAlreadyRegistered: ['CHAIN_MANUFACTURER_ALREADY_REGISTERED', 'The maker is registered already.'],
  ManufacturerUnknown: ['CHAIN_MANUFACTURER_UNKNOWN', 'The maker is not registered; register it first.'],
  MinimumOutOfRange: ['CHAIN_MINIMUM_OUT_OF_RANGE', 'The minimum must rise and must not pass the active release.'],
  ModelAlreadyRegistered: ['CHAIN_MODEL_ALREADY_REGISTERED', 'The model is registered already.'],
  ModelIsSunset: ['CHAIN_MODEL_IS_SUNSET', 'The model has had its last release.'],
  ModelUnknown: ['CHAIN_MODEL_UNKNOWN', 'The model is not registered; register it first.'],
  NumberMissing: ['CHAIN_NUMBER_MISSING', 'The request names no release of the image.'],
  ReleaseCounterOutOfRange: [
    'CHAIN_RELEASE_COUNTER_OUT_OF_RANGE',
    'The security counter is below the model’s floor or too far above it.'
  ],
  ReleaseImageMissing: ['CHAIN_RELEASE_IMAGE_MISSING', 'The release names no image.'],
  ReleaseImageYanked: ['CHAIN_RELEASE_IMAGE_YANKED', 'This image was withdrawn and cannot be published again.'],
  ReleaseKeysFrozen: [
    'CHAIN_RELEASE_KEYS_FROZEN',
    'The maker’s keys are being replaced; nothing is released until then.'
  ],
  ReleaseKeysetOutdated: [
    'CHAIN_RELEASE_KEYSET_OUTDATED',
    'The release was signed with keys that were replaced; publish it again.'
  ],
  ReleaseKindInvalid: [
    'CHAIN_RELEASE_KIND_INVALID',
    'A release is a feature or closes a hole; there is no other kind.'
  ],
  ReleaseNotDue: ['CHAIN_RELEASE_NOT_DUE', 'The release cannot start yet; try again later.'],
  ReleaseOutOfSequence: ['CHAIN_RELEASE_OUT_OF_SEQUENCE', 'The release is not the next one of its model.'],
  ReleaseStatusUnfit: ['CHAIN_RELEASE_STATUS_UNFIT', 'The release is not in a state that allows this.'],
  ReleaseTooLarge: ['CHAIN_RELEASE_TOO_LARGE', 'The image does not fit into the model’s devices.'],
  ReleaseUnknown: ['CHAIN_RELEASE_UNKNOWN', 'There is no such release.'],
  ReportOutOfSequence: ['CHAIN_REPORT_OUT_OF_SEQUENCE', 'The report is not newer than the attestor’s last one.'],
  RiskClassInvalid: ['CHAIN_RISK_CLASS_INVALID', 'There is no such risk class.'],
  RolloutNotLower: ['CHAIN_ROLLOUT_NOT_LOWER', 'The share of devices must become smaller.'],
  RolloutOutOfRange: ['CHAIN_ROLLOUT_OUT_OF_RANGE', 'The share of devices must become larger, up to all.'],
  RotationNotDue: ['CHAIN_ROTATION_NOT_DUE', 'The new keys cannot come in force yet; try again later.'],
  RotationNotProposed: ['CHAIN_ROTATION_NOT_PROPOSED', 'Nobody proposed these keys.'],
  RotationOutOfSequence: ['CHAIN_ROTATION_OUT_OF_SEQUENCE', 'Another change of keys came in between; sign it again.'],
  SignersTooFewForRisk: ['CHAIN_SIGNERS_TOO_FEW_FOR_RISK', 'A model of this risk needs more signers.'],
  SilenceInvalid: ['CHAIN_SILENCE_INVALID', 'Silence must be from 30 to 3650 days.'],
  StatementKnown: ['CHAIN_STATEMENT_KNOWN', 'This was said before.'],
  StewardsNotNeeded: ['CHAIN_STEWARDS_NOT_NEEDED', 'The maker is still there, so its stewards may do nothing.'],
  SunsetNotDue: ['CHAIN_SUNSET_NOT_DUE', 'The model cannot be ended yet; try again later.'],
  SunsetNotProposed: ['CHAIN_SUNSET_NOT_PROPOSED', 'Nobody whose keys count proposed to end this model.'],
  SunsetOutOfSequence: [
    'CHAIN_SUNSET_OUT_OF_SEQUENCE',
    'Another word about the end of the model came in between; sign it again.'
  ]
}
