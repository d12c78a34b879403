/** What the contracts' custom errors mean to a person, each under a stable code (docs/errors.md). */
import type { RequestContract } from '#core/chain/contract-names.ts'
import { Interface, type ErrorDescription } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { patientRegistryAbi } from '#core/abi/PatientRegistry.ts'
import { SalusError } from '#core/error.ts'

/** The contracts' interfaces, to encode calls and to decode errors. */
export const CONTRACT_INTERFACES: Readonly<Record<RequestContract, Interface>> = {
  PatientRegistry: new Interface(patientRegistryAbi),
  AccessGrants: new Interface(accessGrantsAbi),
  BatchAnchors: new Interface(batchAnchorsAbi),
  FirmwareRegistry: new Interface(firmwareRegistryAbi)
}

/** Code and sentence by the name of the contract's error. */
export const CONTRACT_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AdvisoryRangeInvalid: [
    'CHAIN_ADVISORY_RANGE_INVALID',
    'The advisory is about no release, or about one that is not published.'
  ],
  AnchorOutOfSequence: ['CHAIN_ANCHOR_OUT_OF_SEQUENCE', 'The anchor is not the next one of its gateway.'],
  AnchorRootMissing: ['CHAIN_ANCHOR_ROOT_MISSING', 'The anchor has no root.'],
  AnchorTreeShrank: ['CHAIN_ANCHOR_TREE_SHRANK', 'The anchor has fewer readings than the one before it.'],
  ApprovalOutOfOrder: [
    'CHAIN_APPROVAL_OUT_OF_ORDER',
    'Approvals must be given in the order of the signers, each once.'
  ],
  ApprovalSignatureInvalid: ['CHAIN_APPROVAL_SIGNATURE_INVALID', 'An approval was not signed by its signer.'],
  ApprovalSignerUnknown: ['CHAIN_APPROVAL_SIGNER_UNKNOWN', 'An approval names a signer that the maker does not have.'],
  ApprovalsTooFew: ['CHAIN_APPROVALS_TOO_FEW', 'Fewer release signers approved than the maker demands.'],
  AttestorKnown: ['CHAIN_ATTESTOR_KNOWN', 'The attestor was named before, or removed for good.'],
  AttestorUnknown: ['CHAIN_ATTESTOR_UNKNOWN', 'Nobody named this attestor for the model.'],
  DeviceKeysOutOfSequence: [
    'CHAIN_DEVICE_KEYS_OUT_OF_SEQUENCE',
    'The list of devices is not the next version of its model’s.'
  ],
  DeviceOutOfOrder: ['CHAIN_DEVICE_OUT_OF_ORDER', 'Devices must be given in the order of their ids, each once.'],
  DeviceUnknown: ['CHAIN_DEVICE_UNKNOWN', 'The key is not one of the model’s devices.'],
  EnforcedPause: ['CHAIN_ENFORCED_PAUSE', 'Governance has stopped what is new for now; try again later.'],
  FailuresTooFew: ['CHAIN_FAILURES_TOO_FEW', 'Too few devices failed to stop the release.'],
  GatewayAlreadyRegistered: ['CHAIN_GATEWAY_ALREADY_REGISTERED', 'The gateway is registered with another certificate.'],
  GatewayCertificateMissing: ['CHAIN_GATEWAY_CERTIFICATE_MISSING', 'The gateway names no certificate.'],
  GatewayUnknown: ['CHAIN_GATEWAY_UNKNOWN', 'The gateway is not registered; register it first.'],
  GrantAlreadyOpened: ['CHAIN_GRANT_ALREADY_OPENED', 'A grant with other terms uses this id; choose another salt.'],
  GrantGranteeMissing: ['CHAIN_GRANT_GRANTEE_MISSING', 'The grant names nobody.'],
  GrantIsRevoked: ['CHAIN_GRANT_IS_REVOKED', 'The grant was revoked and cannot be opened again.'],
  GrantNotClaimable: [
    'CHAIN_GRANT_NOT_CLAIMABLE',
    'The grant may be used any number of times; there is nothing to claim.'
  ],
  GrantNotLive: ['CHAIN_GRANT_NOT_LIVE', 'The grant does not exist, has ended, was spent or has not begun.'],
  GrantNotYours: ['CHAIN_GRANT_NOT_YOURS', 'The grant was given to somebody else.'],
  GrantRightsInvalid: ['CHAIN_GRANT_RIGHTS_INVALID', 'The grant gives no right, or one that does not exist.'],
  GrantScopeMissing: ['CHAIN_GRANT_SCOPE_MISSING', 'The grant has no scope.'],
  GrantUsesMissing: ['CHAIN_GRANT_USES_MISSING', 'The grant may never be used.'],
  GrantWindowEmpty: ['CHAIN_GRANT_WINDOW_EMPTY', 'The grant has ended before it begins.'],
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
  PatientAlreadyRegistered: ['CHAIN_PATIENT_ALREADY_REGISTERED', 'The patient is registered with other keys.'],
  PatientKeyBundleMissing: ['CHAIN_PATIENT_KEY_BUNDLE_MISSING', 'The patient names no key bundle.'],
  PatientUnknown: ['CHAIN_PATIENT_UNKNOWN', 'The patient is not registered; register first.'],
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
  RequestDeadlineTooFar: ['CHAIN_REQUEST_DEADLINE_TOO_FAR', 'The request’s deadline lies more than 30 days ahead.'],
  RequestExpired: ['CHAIN_REQUEST_EXPIRED', 'The request’s deadline has passed; sign it again.'],
  RequestSignatureInvalid: ['CHAIN_REQUEST_SIGNATURE_INVALID', 'The request was not signed by whom it speaks for.'],
  RiskClassInvalid: ['CHAIN_RISK_CLASS_INVALID', 'There is no such risk class.'],
  RolloutNotLower: ['CHAIN_ROLLOUT_NOT_LOWER', 'The share of devices must become smaller.'],
  RolloutOutOfRange: ['CHAIN_ROLLOUT_OUT_OF_RANGE', 'The share of devices must become larger, up to all.'],
  RotationNotDue: ['CHAIN_ROTATION_NOT_DUE', 'The new keys cannot come in force yet; try again later.'],
  RotationNotProposed: ['CHAIN_ROTATION_NOT_PROPOSED', 'Nobody proposed these keys.'],
  RotationOutOfSequence: ['CHAIN_ROTATION_OUT_OF_SEQUENCE', 'Another change of keys came in between; sign it again.'],
  SignerMalformed: ['CHAIN_SIGNER_MALFORMED', 'A signer must be an address, or a verifier followed by its key.'],
  SignerNotTheOne: ['CHAIN_SIGNER_NOT_THE_ONE', 'The request is signed by somebody who may not ask for this.'],
  SignerSetDuplicate: ['CHAIN_SIGNER_SET_DUPLICATE', 'A signer stands in the set twice.'],
  SignerSetSizeInvalid: ['CHAIN_SIGNER_SET_SIZE_INVALID', 'The set of signers is empty or too large.'],
  SignersTooFewForRisk: ['CHAIN_SIGNERS_TOO_FEW_FOR_RISK', 'A model of this risk needs more signers.'],
  SilenceInvalid: ['CHAIN_SILENCE_INVALID', 'Silence must be from 30 to 3650 days.'],
  StatementKnown: ['CHAIN_STATEMENT_KNOWN', 'This was said before.'],
  StewardsNotNeeded: ['CHAIN_STEWARDS_NOT_NEEDED', 'The maker is still there, so its stewards may do nothing.'],
  ThresholdInvalid: ['CHAIN_THRESHOLD_INVALID', 'The threshold must lie between one and the number of signers.']
}

/** A call that the contract refused, with its error if it is one of ours. */
export interface Revert {
  readonly description: ErrorDescription | null
  readonly error: SalusError
}

/**
 * Reads the data of a revert.
 *
 * @param data - revert data in hexadecimal, or none
 */
export function readRevert(contract: RequestContract, data: string | null | undefined, cause: unknown): Revert {
  const description = data == null ? null : parseError(contract, data)
  const [code, message] = CONTRACT_ERRORS[description?.name ?? ''] ?? [
    'CHAIN_REVERTED',
    'The contract refused the request without saying why.'
  ]
  return { description, error: new SalusError(code, message, { cause }) }
}

function parseError(contract: RequestContract, data: string): ErrorDescription | null {
  try {
    return CONTRACT_INTERFACES[contract].parseError(data)
  } catch {
    return null
  }
}
