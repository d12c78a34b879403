// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPatientRegistry} from "./IPatientRegistry.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Which research policies patients have signed, as digests
 * @notice The policy itself stays with the patient's agent: its terms and diseases would tell who it is. Here stand a
 * salted digest, since which block, and whether it was withdrawn.
 */
interface IConsentRegistry is ISignedRequests {
    /// @notice What is kept of a consent.
    /// @param policy `keccak256(policy || salt)`; 0 if there is none
    /// @param revision how often it was changed
    /// @param sinceBlock block of the last change, the withdrawal included
    /// @param sinceTime time of that block, in seconds since 1970
    /// @param isWithdrawn whether it was withdrawn, which is for ever
    struct Consent {
        bytes32 policy;
        uint32 revision;
        uint64 sinceBlock;
        uint40 sinceTime;
        bool isWithdrawn;
    }

    /// @notice A patient has consented, or consents to other terms.
    /// @param patient its id
    /// @param consentId random name of the consent
    /// @param policy `keccak256(policy || salt)`
    /// @param revision how often it was changed
    event ConsentGiven(bytes32 indexed patient, bytes32 indexed consentId, bytes32 policy, uint32 revision);

    /// @notice A patient has withdrawn a consent for ever; no counting that begins later includes it.
    /// @param patient its id
    /// @param consentId random name of the consent
    event ConsentWithdrawn(bytes32 indexed patient, bytes32 indexed consentId);

    /// @notice No such patient on this chain.
    /// @param patient the id
    error PatientUnknown(bytes32 patient);

    /// @notice The consent was withdrawn, which is for ever; give another one under another id.
    /// @param consentId the id
    error ConsentIsWithdrawn(bytes32 consentId);

    /// @notice A policy's digest is never zero.
    error ConsentPolicyMissing();

    /// @notice Another change came first; sign the one that follows it.
    /// @param expected the only revision accepted now
    /// @param actual as given
    error ConsentOutOfSequence(uint32 expected, uint32 actual);

    /// @notice Gives a consent, or replaces its terms. Signed:
    /// `Consent(bytes32 patient,bytes32 consentId,bytes32 policy,uint32 revision,uint256 deadline)`.
    /// @param patient the id
    /// @param consentId random: never the name of a study, which would tell what the patient suffers from
    /// @param policy `keccak256(policy || salt)`
    /// @param revision one more than the last, 1 for the first
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's, in the form of ERC-7913
    /// @param signature of `signer`
    function give(
        bytes32 patient,
        bytes32 consentId,
        bytes32 policy,
        uint32 revision,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Withdraws a consent for ever, also before it was given, and while this contract is stopped. Signed:
    /// `ConsentWithdrawal(bytes32 patient,bytes32 consentId,uint256 deadline)`.
    /// @param patient the id
    /// @param consentId random name of the consent
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's, in the form of ERC-7913
    /// @param signature of `signer`
    function withdraw(
        bytes32 patient,
        bytes32 consentId,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Where the patients' signers are kept.
    /// @return the registry
    function patients() external view returns (IPatientRegistry);

    /// @notice What is kept of a consent.
    /// @param patient the id
    /// @param consentId random name of the consent
    /// @return what is kept
    function consentOf(bytes32 patient, bytes32 consentId) external view returns (Consent memory);

    /// @notice Whether a consent, under its present terms, counts for a release whose counting began at a block.
    /// @param patient the id
    /// @param consentId random name of the consent
    /// @param windowBlock block at which counting began
    /// @return whether the terms were given by then and the withdrawal, if any, came in no earlier block
    function countsAt(bytes32 patient, bytes32 consentId, uint64 windowBlock) external view returns (bool);
}
