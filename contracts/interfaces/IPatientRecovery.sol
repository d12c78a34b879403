// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title How a patient who lost its key gets its pseudonym back
 * @notice A patient names guardians, of whom several together may hand the pseudonym to a new signer, after a delay in
 * which the present signer can veto it. Guardians are kept as the root of a Merkle tree over salted leaves: nobody
 * learns who they are before they act, and then only those who act. Part of {IAccessGrants}'s contract.
 */
interface IPatientRecovery is ISignedRequests {
    /// @notice One guardian's consent to a recovery.
    struct GuardianApproval {
        /// @dev The guardian, in the form of ERC-7913.
        bytes signer;
        /// @dev Salt of the guardian's leaf.
        bytes32 salt;
        /// @dev From the leaf to the root, as OpenZeppelin's MerkleProof takes it.
        bytes32[] proof;
        /// @dev Of `signer`, over the recovery.
        bytes signature;
    }

    /// @notice A patient changed its guardians; a recovery under way is void.
    /// @param patient its id
    /// @param root of the tree of guardians; 0 for none
    /// @param threshold how many of them a recovery takes
    /// @param delay seconds between opening a recovery and completing it
    event GuardiansSet(bytes32 indexed patient, bytes32 root, uint8 threshold, uint32 delay);

    /// @notice Guardians opened a recovery.
    /// @param patient the patient
    /// @param newSigner who will sign for it, in the form of ERC-7913
    /// @param readyAt from when on it can be completed, in seconds since 1970
    /// @param expiresAt first moment it can no longer be completed, 30 days after `readyAt`
    event RecoveryOpened(bytes32 indexed patient, bytes newSigner, uint40 readyAt, uint40 expiresAt);

    /// @notice The present signer stopped a recovery.
    /// @param patient the patient
    event RecoveryVetoed(bytes32 indexed patient);

    /// @notice Fewer than two guardians must never be enough.
    /// @param threshold as given
    error GuardianThresholdInvalid(uint8 threshold);

    /// @notice The delay is shorter than a day or longer than 30.
    /// @param delay as given, in seconds
    error RecoveryDelayInvalid(uint32 delay);

    /// @notice The patient has no guardians.
    /// @param patient the patient
    error GuardiansMissing(bytes32 patient);

    /// @notice Fewer guardians approved than the patient asks for.
    /// @param needed how many it takes
    /// @param given how many there are
    error GuardiansTooFew(uint256 needed, uint256 given);

    /// @notice Approvals must come in rising order of the ids of the guardians' signers, each guardian once.
    error GuardiansOutOfOrder();

    /// @notice An approval is not by a guardian of the patient.
    /// @param leaf that is not in the patient's tree
    error GuardianUnknown(bytes32 leaf);

    /// @notice A recovery is under way; it must be completed, vetoed or past its end first.
    /// @param patient the patient
    error RecoveryUnderWay(bytes32 patient);

    /// @notice No recovery is under way; it was vetoed, voided by another request of the patient, not completed in time,
    /// or never opened.
    /// @param patient the patient
    error RecoveryNotOpen(bytes32 patient);

    /// @notice The recovery's delay is not over.
    /// @param readyAt from when on it can be completed, in seconds since 1970
    error RecoveryTooEarly(uint40 readyAt);

    /// @notice Names the guardians, in place of any before. Signed:
    /// `GuardianSet(bytes32 patient,bytes32 root,uint8 threshold,uint32 delay,uint256 nonce,uint256 deadline)`.
    /// @param patient the id
    /// @param root of the tree whose leaves are
    /// `keccak256(bytes.concat(keccak256(abi.encode(patient, address guardianId, bytes32 salt))))`; 0 for no guardians
    /// @param threshold how many of them a recovery takes, at least two; 0 without guardians
    /// @param delay seconds between opening a recovery and completing it, a day to 30 days; 0 without guardians
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`, over the current {IPatientRegistry-nonceOf}
    function setGuardians(
        bytes32 patient,
        bytes32 root,
        uint8 threshold,
        uint32 delay,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Opens a recovery. Signed by the new signer and by guardians:
    /// `Recovery(bytes32 patient,bytes newSigner,uint256 nonce,uint256 deadline)`. Uses the nonce: what the present
    /// signer signed before cannot void the recovery. Not while paused.
    /// @param patient the id
    /// @param newSigner who will sign for the patient, in the form of ERC-7913
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param newSignature of `newSigner`
    /// @param approvals of guardians, as many as the threshold or more, in rising order of the ids of their signers
    function openRecovery(
        bytes32 patient,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata newSignature,
        GuardianApproval[] calldata approvals
    ) external;

    /// @notice Stops the recovery under way. Any other request of the patient that uses a nonce does the same. Signed: `RecoveryVeto(bytes32 patient,uint256 nonce,uint256 deadline)`.
    /// @param patient the id
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`, over the current {IPatientRegistry-nonceOf}
    function vetoRecovery(bytes32 patient, uint256 deadline, bytes calldata signer, bytes calldata signature) external;

    /// @notice Hands the patient to the new signer once the delay is over, and for 30 days; for anybody to send. Not while
    /// paused.
    /// @param patient the id
    /// @param newSigner who was named when the recovery was opened
    function completeRecovery(bytes32 patient, bytes calldata newSigner) external;

    /// @notice A patient's guardians.
    /// @param patient the id
    /// @return root of their tree; 0 for none
    /// @return threshold how many of them a recovery takes
    /// @return delay seconds between opening a recovery and completing it
    function guardiansOf(bytes32 patient) external view returns (bytes32 root, uint8 threshold, uint32 delay);

    /// @notice The recovery under way.
    /// @param patient the id
    /// @return newSigner id of who will sign; 0 if none is under way
    /// @return readyAt from when on it can be completed, in seconds since 1970
    /// @return expiresAt first moment it can no longer be completed
    function recoveryOf(bytes32 patient) external view returns (address newSigner, uint40 readyAt, uint40 expiresAt);
}
