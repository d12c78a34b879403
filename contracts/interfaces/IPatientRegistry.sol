// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Patients, as pseudonyms
 * @notice Keeps for each patient id who signs for it and which public keys belong to it. An id is a hash of the first
 * signer and a random salt: it says nothing about the person, and one person may have many. Part of {IAccessGrants}'s
 * contract, whose domain all its requests carry.
 */
interface IPatientRegistry is ISignedRequests {
    /// @notice A patient id came to exist.
    /// @param patient its id, `keccak256(abi.encode(keccak256(signer), salt))`
    /// @param signer who signs for it, in the form of ERC-7913
    /// @param keyBundle keccak-256 of the encoded public keys
    event PatientRegistered(bytes32 indexed patient, bytes signer, bytes32 keyBundle);

    /// @notice A patient changed its public keys.
    /// @param patient its id
    /// @param keyBundle keccak-256 of the encoded public keys
    event KeyBundleUpdated(bytes32 indexed patient, bytes32 keyBundle);

    /// @notice A patient has a new signer; grants signed earlier and not yet submitted are void.
    /// @param patient its id
    /// @param newSigner who signs from now on
    /// @param epoch number of changes of signer so far
    event SignerRotated(bytes32 indexed patient, bytes newSigner, uint32 epoch);

    /// @notice The id exists already; take another salt.
    /// @param patient the id
    error PatientAlreadyRegistered(bytes32 patient);

    /// @notice No such patient on this chain.
    /// @param patient the id
    error PatientUnknown(bytes32 patient);

    /// @notice A key bundle's digest is never zero.
    error PatientKeyBundleMissing();

    /// @notice Creates a patient id. Signed: `Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)`.
    /// Not while paused.
    /// @param signer who will sign for the patient, in the form of ERC-7913
    /// @param keyBundle keccak-256 of the encoded public keys
    /// @param salt random, so that the id cannot be guessed from the signer
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signature of `signer`
    /// @return patient the new id, `keccak256(abi.encode(keccak256(signer), salt))`
    function register(
        bytes calldata signer,
        bytes32 keyBundle,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 patient);

    /// @notice Changes a patient's public keys. Signed:
    /// `KeyBundleUpdate(bytes32 patient,bytes32 keyBundle,uint256 nonce,uint256 deadline)`.
    /// @param patient the id
    /// @param keyBundle keccak-256 of the encoded public keys
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`, over the current {nonceOf}
    function updateKeyBundle(
        bytes32 patient,
        bytes32 keyBundle,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Hands a patient to a new signer. Signed by both:
    /// `SignerRotation(bytes32 patient,bytes newSigner,uint256 nonce,uint256 deadline)`.
    /// @param patient the id
    /// @param newSigner who signs from now on, in the form of ERC-7913
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`, over the current {nonceOf}
    /// @param newSignature of `newSigner`, over the same struct: nobody is made a signer who cannot sign
    function rotateSigner(
        bytes32 patient,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature,
        bytes calldata newSignature
    ) external;

    /// @notice Who signs for a patient. Reverts with {PatientUnknown}, as every view here.
    /// @param patient the id
    /// @return id of the signer: its address, or the last 20 bytes of the keccak-256 of a longer signer
    function signerOf(bytes32 patient) external view returns (address id);

    /// @notice Which public keys a patient has.
    /// @param patient the id
    /// @return keccak-256 of the encoded public keys
    function keyBundleOf(bytes32 patient) external view returns (bytes32);

    /// @notice How often a patient's signer changed. Signed into each grant.
    /// @param patient the id
    /// @return the number of changes
    function epochOf(bytes32 patient) external view returns (uint32);

    /// @notice The number that the patient's next request with a nonce must carry.
    /// @param patient the id
    /// @return the number of such requests so far
    function nonceOf(bytes32 patient) external view returns (uint256);

    /// @notice Whether a patient's present signer signed a digest. For other contracts.
    /// @param patient the id
    /// @param signer who is said to be the present signer, in the form of ERC-7913
    /// @param digest what was signed
    /// @param signature to check
    /// @return whether `signer` is the patient's present one and the signature holds
    function isSignedBy(
        bytes32 patient,
        bytes calldata signer,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (bool);
}
