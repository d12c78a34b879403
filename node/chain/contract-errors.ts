/** What the contracts' custom errors mean to a person, each under a stable code (docs/errors.md). */
import type { RequestContract } from '#core/chain/contract-names.ts'
import { Interface, type ErrorDescription } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { consentRegistryAbi } from '#core/abi/ConsentRegistry.ts'
import { escrowWarrantAbi } from '#core/abi/EscrowWarrant.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { nodeRegistryAbi } from '#core/abi/NodeRegistry.ts'
import { privacyLedgerAbi } from '#core/abi/PrivacyLedger.ts'
import { releaseRegistryAbi } from '#core/abi/ReleaseRegistry.ts'
import { SalusError } from '#core/error.ts'
import { ANCHOR_ERRORS } from '#node/chain/anchor-errors.ts'
import { CARE_ERRORS } from '#node/chain/care-errors.ts'
import { FIRMWARE_ERRORS } from '#node/chain/firmware-errors.ts'
import { NODE_ERRORS } from '#node/chain/node-errors.ts'
import { RESEARCH_ERRORS } from '#node/chain/research-errors.ts'

/** The contracts' interfaces, to encode calls and to decode errors. */
export const CONTRACT_INTERFACES: Readonly<Record<RequestContract, Interface>> = {
  AccessGrants: new Interface(accessGrantsAbi),
  CredentialRegistry: new Interface(credentialRegistryAbi),
  EmergencyAccess: new Interface(emergencyAccessAbi),
  BatchAnchors: new Interface(batchAnchorsAbi),
  NodeRegistry: new Interface(nodeRegistryAbi),
  FirmwareRegistry: new Interface(firmwareRegistryAbi),
  ConsentRegistry: new Interface(consentRegistryAbi),
  ReleaseRegistry: new Interface(releaseRegistryAbi),
  PrivacyLedger: new Interface(privacyLedgerAbi),
  EscrowWarrant: new Interface(escrowWarrantAbi)
}

/** Code and sentence by the name of the contract's error. */
export const CONTRACT_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  ...ANCHOR_ERRORS,
  ...CARE_ERRORS,
  ...FIRMWARE_ERRORS,
  ...NODE_ERRORS,
  ...RESEARCH_ERRORS,
  AccessRequestMadeBefore: ['CHAIN_ACCESS_REQUEST_MADE_BEFORE', 'This request for access was made before.'],
  AccessRequestMissing: ['CHAIN_ACCESS_REQUEST_MISSING', 'The request for access has no digest.'],
  ApprovalOutOfOrder: [
    'CHAIN_APPROVAL_OUT_OF_ORDER',
    'Approvals must be given in the order of the signers, each once.'
  ],
  ApprovalSignatureInvalid: ['CHAIN_APPROVAL_SIGNATURE_INVALID', 'An approval was not signed by its signer.'],
  ApprovalSignerUnknown: ['CHAIN_APPROVAL_SIGNER_UNKNOWN', 'An approval names a signer that is not in the set.'],
  ApprovalsTooFew: ['CHAIN_APPROVALS_TOO_FEW', 'Fewer signers approved than it takes.'],
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
    'Approvals of guardians must come in rising order of their signers’ ids, each once.'
  ],
  GuardiansTooFew: ['CHAIN_GUARDIANS_TOO_FEW', 'Fewer guardians approved than the patient asks for.'],
  PatientAlreadyRegistered: ['CHAIN_PATIENT_ALREADY_REGISTERED', 'The patient is registered with other keys.'],
  PatientKeyBundleMissing: ['CHAIN_PATIENT_KEY_BUNDLE_MISSING', 'The patient names no key bundle.'],
  PatientUnknown: ['CHAIN_PATIENT_UNKNOWN', 'The patient is not registered; register first.'],
  RecoveryDelayInvalid: [
    'CHAIN_RECOVERY_DELAY_INVALID',
    'The delay of a recovery must lie between a day and 30; without guardians it is 0.'
  ],
  RecoveryNotOpen: ['CHAIN_RECOVERY_NOT_OPEN', 'No recovery of the patient is under way; it may have run out.'],
  RecoveryTooEarly: ['CHAIN_RECOVERY_TOO_EARLY', 'The recovery’s delay is not over yet.'],
  RecoveryUnderWay: ['CHAIN_RECOVERY_UNDER_WAY', 'A recovery of the patient is under way; complete or veto it first.'],
  RequestDeadlineTooFar: ['CHAIN_REQUEST_DEADLINE_TOO_FAR', 'The request’s deadline lies more than 30 days ahead.'],
  RequestExpired: ['CHAIN_REQUEST_EXPIRED', 'The request’s deadline has passed; sign it again.'],
  RequestSignatureInvalid: ['CHAIN_REQUEST_SIGNATURE_INVALID', 'The request was not signed by whom it speaks for.'],
  SignerMalformed: ['CHAIN_SIGNER_MALFORMED', 'A signer must be an address, or a verifier followed by its key.'],
  SignerNotTheOne: ['CHAIN_SIGNER_NOT_THE_ONE', 'The request is signed by somebody who may not ask for this.'],
  SignerSetDuplicate: ['CHAIN_SIGNER_SET_DUPLICATE', 'A signer stands in the set twice.'],
  SignerSetSizeInvalid: ['CHAIN_SIGNER_SET_SIZE_INVALID', 'The set of signers is empty or too large.'],
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
