/** What the contracts' custom errors mean to a person, each under a stable code (docs/errors.md). */
import type { RequestContract } from '#core/chain/contract-names.ts'
import { Interface, type ErrorDescription } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { SalusError } from '#core/error.ts'

/** The contracts' interfaces, to encode calls and to decode errors. */
export const CONTRACT_INTERFACES: Readonly<Record<RequestContract, Interface>> = {
  AccessGrants: new Interface(accessGrantsAbi),
  BatchAnchors: new Interface(batchAnchorsAbi),
  FirmwareRegistry: new Interface(firmwareRegistryAbi)
}

/** Code and sentence by the name of the contract's error. */
export const CONTRACT_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AccessRequestMadeBefore: ['CHAIN_ACCESS_REQUEST_MADE_BEFORE', 'This request for access was made before.'],
  AccessRequestMissing: ['CHAIN_ACCESS_REQUEST_MISSING', 'The request for access has no digest.'],
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
  EnforcedPause: ['CHAIN_ENFORCED_PAUSE', 'Governance has stopped what is new for now; try again later.'],
  GatewayAlreadyRegistered: ['CHAIN_GATEWAY_ALREADY_REGISTERED', 'The gateway is registered with another certificate.'],
  GatewayCertificateMissing: ['CHAIN_GATEWAY_CERTIFICATE_MISSING', 'The gateway names no certificate.'],
  GatewayUnknown: ['CHAIN_GATEWAY_UNKNOWN', 'The gateway is not registered; register it first.'],
  GrantAlreadyOpened: ['CHAIN_GRANT_ALREADY_OPENED', 'A grant with other terms has this scope; choose another salt.'],
  GrantBatchAlreadyOpened: ['CHAIN_GRANT_BATCH_ALREADY_OPENED', 'This batch of grants was opened before.'],
  GrantBatchOutOfOrder: [
    'CHAIN_GRANT_BATCH_OUT_OF_ORDER',
    'The grants of a batch must come in rising order of their scopes, each once.'
  ],
  GrantBatchSizeInvalid: ['CHAIN_GRANT_BATCH_SIZE_INVALID', 'A batch must have between 1 and 256 grants.'],
  GrantGranteeMissing: ['CHAIN_GRANT_GRANTEE_MISSING', 'The grant names nobody.'],
  GrantIsRevoked: ['CHAIN_GRANT_IS_REVOKED', 'The grant was revoked and cannot be opened again.'],
  GrantNotClaimable: [
    'CHAIN_GRANT_NOT_CLAIMABLE',
    'The grant may be used any number of times; there is nothing to claim.'
  ],
  GrantNotInBatch: ['CHAIN_GRANT_NOT_IN_BATCH', 'The patient opened no batch with this grant in it.'],
  GrantNotLive: ['CHAIN_GRANT_NOT_LIVE', 'The grant does not exist, has ended, was spent or has not begun.'],
  GrantNotYours: ['CHAIN_GRANT_NOT_YOURS', 'The grant was given to somebody else.'],
  GrantRightsInvalid: ['CHAIN_GRANT_RIGHTS_INVALID', 'The grant gives no right, or one that does not exist.'],
  GrantUsesMissing: ['CHAIN_GRANT_USES_MISSING', 'The grant may never be used.'],
  GrantWindowEmpty: ['CHAIN_GRANT_WINDOW_EMPTY', 'The grant has ended before it begins.'],
  GuardianThresholdInvalid: [
    'CHAIN_GUARDIAN_THRESHOLD_INVALID',
    'A recovery must take two guardians at least; without guardians the threshold is 0.'
  ],
  GuardianUnknown: ['CHAIN_GUARDIAN_UNKNOWN', 'An approval is not by a guardian of the patient.'],
  GuardiansMissing: ['CHAIN_GUARDIANS_MISSING', 'The patient has named no guardians.'],
  GuardiansOutOfOrder: [
    'CHAIN_GUARDIANS_OUT_OF_ORDER',
    'Approvals of guardians must come in rising order of their leaves, each once.'
  ],
  GuardiansTooFew: ['CHAIN_GUARDIANS_TOO_FEW', 'Fewer guardians approved than the patient asks for.'],
  ManifestMismatch: ['CHAIN_MANIFEST_MISMATCH', 'The manifest is not the one that was signed.'],
  ManifestTooLarge: ['CHAIN_MANIFEST_TOO_LARGE', 'The manifest is larger than the chain takes.'],
  ManufacturerAlreadyRegistered: ['CHAIN_MANUFACTURER_ALREADY_REGISTERED', 'The maker is registered already.'],
  ManufacturerUnknown: ['CHAIN_MANUFACTURER_UNKNOWN', 'The maker is not registered; register it first.'],
  MinimumOutOfRange: ['CHAIN_MINIMUM_OUT_OF_RANGE', 'The minimum must rise and must not pass the active release.'],
  ModelAlreadyRegistered: ['CHAIN_MODEL_ALREADY_REGISTERED', 'The model is registered already.'],
  ModelUnknown: ['CHAIN_MODEL_UNKNOWN', 'The model is not registered; register it first.'],
  PatientAlreadyRegistered: ['CHAIN_PATIENT_ALREADY_REGISTERED', 'The patient is registered with other keys.'],
  PatientKeyBundleMissing: ['CHAIN_PATIENT_KEY_BUNDLE_MISSING', 'The patient names no key bundle.'],
  PatientUnknown: ['CHAIN_PATIENT_UNKNOWN', 'The patient is not registered; register first.'],
  RecoveryDelayInvalid: [
    'CHAIN_RECOVERY_DELAY_INVALID',
    'The delay of a recovery must lie between a day and 30; without guardians it is 0.'
  ],
  RecoveryNotOpen: ['CHAIN_RECOVERY_NOT_OPEN', 'No recovery of the patient is under way.'],
  RecoveryTooEarly: ['CHAIN_RECOVERY_TOO_EARLY', 'The recovery’s delay is not over yet.'],
  RecoveryUnderWay: ['CHAIN_RECOVERY_UNDER_WAY', 'A recovery of the patient is under way; complete or veto it first.'],
  ReleaseCounterOutOfRange: [
    'CHAIN_RELEASE_COUNTER_OUT_OF_RANGE',
    'The security counter is below the model’s floor or too far above it.'
  ],
  ReleaseImageMissing: ['CHAIN_RELEASE_IMAGE_MISSING', 'The release names no image.'],
  ReleaseImageTooOften: [
    'CHAIN_RELEASE_IMAGE_TOO_OFTEN',
    'This image has been published eight times; build it anew with another version.'
  ],
  ReleaseImageYanked: ['CHAIN_RELEASE_IMAGE_YANKED', 'This image was withdrawn and cannot be published again.'],
  ReleaseOutOfSequence: ['CHAIN_RELEASE_OUT_OF_SEQUENCE', 'The release is not the next one of its model.'],
  ReleaseStatusUnfit: ['CHAIN_RELEASE_STATUS_UNFIT', 'The release is not in a state that allows this.'],
  ReleaseUnknown: ['CHAIN_RELEASE_UNKNOWN', 'There is no such release.'],
  RequestDeadlineTooFar: ['CHAIN_REQUEST_DEADLINE_TOO_FAR', 'The request’s deadline lies more than 30 days ahead.'],
  RequestExpired: ['CHAIN_REQUEST_EXPIRED', 'The request’s deadline has passed; sign it again.'],
  RequestSignatureInvalid: ['CHAIN_REQUEST_SIGNATURE_INVALID', 'The request was not signed by whom it speaks for.'],
  SignerMalformed: ['CHAIN_SIGNER_MALFORMED', 'A signer must be an address, or a verifier followed by its key.'],
  SignerSetDuplicate: ['CHAIN_SIGNER_SET_DUPLICATE', 'A signer stands in the set twice.'],
  SignerSetSizeInvalid: ['CHAIN_SIGNER_SET_SIZE_INVALID', 'The set of signers is empty or too large.'],
  SignerNotTheOne: ['CHAIN_SIGNER_NOT_THE_ONE', 'The request is signed by somebody who may not ask for this.'],
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
