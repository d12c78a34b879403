// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {PatientWord, PatientWordLib} from "./libraries/PatientWord.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title Patients, as pseudonyms
/// @dev Governance can stop new registrations; nobody but a patient's signer can change what is registered.
abstract contract PatientRegistry is IPatientRegistry, SignedRequests, Governed {
    bytes32 private constant REGISTRATION_TYPEHASH = keccak256(
        "Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)"
    );
    bytes32 private constant KEY_BUNDLE_UPDATE_TYPEHASH = keccak256(
        "KeyBundleUpdate(bytes32 patient,bytes32 keyBundle,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant SIGNER_ROTATION_TYPEHASH = keccak256(
        "SignerRotation(bytes32 patient,bytes newSigner,uint256 nonce,uint256 deadline)"
    );

    mapping(bytes32 patient => PatientWord) internal _patients;
    mapping(bytes32 patient => bytes32) private _keyBundles;

    /// @inheritdoc IPatientRegistry
    function register(
        bytes calldata signer,
        bytes32 keyBundle,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external whenNotPaused returns (bytes32 patient) {
        _requireInTime(deadline);
        _requireWellFormed(signer);
        if (keyBundle == 0) revert PatientKeyBundleMissing();
        bytes32 signerHash = keccak256(signer);
        patient = keccak256(abi.encode(signerHash, salt));
        if (_patients[patient].isKnown()) revert PatientAlreadyRegistered(patient);
        _requireSigned(
            signer,
            keccak256(abi.encode(REGISTRATION_TYPEHASH, patient, signerHash, keyBundle, deadline)),
            signature
        );

        _patients[patient] = PatientWordLib.first(Signers.id(signer));
        _keyBundles[patient] = keyBundle;
        emit PatientRegistered(patient, signer, keyBundle);
    }

    /// @inheritdoc IPatientRegistry
    function updateKeyBundle(
        bytes32 patient,
        bytes32 keyBundle,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        if (keyBundle == 0) revert PatientKeyBundleMissing();
        PatientWord word = _known(patient);
        _requireSignedBy(
            word.signer(),
            signer,
            keccak256(abi.encode(KEY_BUNDLE_UPDATE_TYPEHASH, patient, keyBundle, word.nonce(), deadline)),
            signature
        );

        _useNonce(patient, word);
        _keyBundles[patient] = keyBundle;
        emit KeyBundleUpdated(patient, keyBundle);
    }

    /// @inheritdoc IPatientRegistry
    function rotateSigner(
        bytes32 patient,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature,
        bytes calldata newSignature
    ) external {
        _requireInTime(deadline);
        _requireWellFormed(newSigner);
        PatientWord word = _known(patient);
        bytes32 structHash = keccak256(
            abi.encode(SIGNER_ROTATION_TYPEHASH, patient, keccak256(newSigner), word.nonce(), deadline)
        );
        _requireSignedBy(word.signer(), signer, structHash, signature);
        _requireSigned(newSigner, structHash, newSignature);

        _setSigner(patient, word, newSigner);
    }

    /// @inheritdoc IPatientRegistry
    function signerOf(bytes32 patient) external view returns (address id) {
        return _known(patient).signer();
    }

    /// @inheritdoc IPatientRegistry
    function keyBundleOf(bytes32 patient) external view returns (bytes32) {
        _known(patient);
        return _keyBundles[patient];
    }

    /// @inheritdoc IPatientRegistry
    function epochOf(bytes32 patient) external view returns (uint32) {
        return _known(patient).epoch();
    }

    /// @inheritdoc IPatientRegistry
    function nonceOf(bytes32 patient) external view returns (uint256) {
        return _known(patient).nonce();
    }

    /// @inheritdoc IPatientRegistry
    function isSignedBy(
        bytes32 patient,
        bytes calldata signer,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (bool) {
        address id = _known(patient).signer();
        return Signers.isWellFormed(signer) && Signers.id(signer) == id && Signers.isValid(signer, digest, signature);
    }

    /// @dev The word of a registered patient; reverts for any other.
    function _known(bytes32 patient) internal view returns (PatientWord word) {
        word = _patients[patient];
        if (!word.isKnown()) revert PatientUnknown(patient);
    }

    /// @dev Makes the present signer's requests with this nonce, and a recovery under way, void.
    function _useNonce(bytes32 patient, PatientWord word) internal returns (PatientWord changed) {
        changed = word.withNextNonce();
        _patients[patient] = changed;
    }

    /// @dev Hands the patient to a signer; uses the nonce, too.
    function _setSigner(bytes32 patient, PatientWord word, bytes calldata newSigner) internal {
        PatientWord changed = word.withSigner(Signers.id(newSigner));
        _patients[patient] = changed;
        emit SignerRotated(patient, newSigner, changed.epoch());
    }
}
