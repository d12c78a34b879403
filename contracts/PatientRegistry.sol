// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title Patients, as pseudonyms
/// @dev No owner, no proxy, nothing that anybody but a patient's signer can change.
contract PatientRegistry is IPatientRegistry, SignedRequests {
    struct Patient {
        bytes signer;
        bytes32 keyBundle;
        uint64 nonce;
        uint32 epoch;
    }

    bytes32 private constant REGISTRATION_TYPEHASH = keccak256(
        "Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)"
    );
    bytes32 private constant KEY_BUNDLE_UPDATE_TYPEHASH = keccak256(
        "KeyBundleUpdate(bytes32 patient,bytes32 keyBundle,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant SIGNER_ROTATION_TYPEHASH = keccak256(
        "SignerRotation(bytes32 patient,bytes newSigner,uint256 nonce,uint256 deadline)"
    );

    mapping(bytes32 patient => Patient) private _patients;

    constructor() EIP712("Salus PatientRegistry", "1") {}

    /// @inheritdoc IPatientRegistry
    function register(
        bytes calldata signer,
        bytes32 keyBundle,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 patient) {
        _requireInTime(deadline);
        _requireWellFormed(signer);
        if (keyBundle == 0) revert PatientKeyBundleMissing();
        bytes32 signerHash = keccak256(signer);
        patient = keccak256(abi.encode(signerHash, salt));
        Patient storage entry = _patients[patient];
        if (entry.keyBundle != 0) revert PatientAlreadyRegistered(patient);
        _requireSigned(
            signer,
            keccak256(abi.encode(REGISTRATION_TYPEHASH, patient, signerHash, keyBundle, deadline)),
            signature
        );

        entry.signer = signer;
        entry.keyBundle = keyBundle;
        emit PatientRegistered(patient, signer, keyBundle);
    }

    /// @inheritdoc IPatientRegistry
    function updateKeyBundle(bytes32 patient, bytes32 keyBundle, uint256 deadline, bytes calldata signature) external {
        _requireInTime(deadline);
        if (keyBundle == 0) revert PatientKeyBundleMissing();
        Patient storage entry = _known(patient);
        bytes32 structHash = keccak256(
            abi.encode(KEY_BUNDLE_UPDATE_TYPEHASH, patient, keyBundle, uint256(entry.nonce), deadline)
        );
        _requireSigned(entry.signer, structHash, signature);

        entry.nonce++;
        entry.keyBundle = keyBundle;
        emit KeyBundleUpdated(patient, keyBundle);
    }

    /// @inheritdoc IPatientRegistry
    function rotateSigner(
        bytes32 patient,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata signature,
        bytes calldata newSignature
    ) external {
        _requireInTime(deadline);
        _requireWellFormed(newSigner);
        Patient storage entry = _known(patient);
        bytes32 structHash = keccak256(
            abi.encode(SIGNER_ROTATION_TYPEHASH, patient, keccak256(newSigner), uint256(entry.nonce), deadline)
        );
        _requireSigned(entry.signer, structHash, signature);
        _requireSigned(newSigner, structHash, newSignature);

        entry.nonce++;
        uint32 epoch = ++entry.epoch;
        entry.signer = newSigner;
        emit SignerRotated(patient, newSigner, epoch);
    }

    /// @inheritdoc IPatientRegistry
    function signerOf(bytes32 patient) external view returns (bytes memory) {
        return _known(patient).signer;
    }

    /// @inheritdoc IPatientRegistry
    function keyBundleOf(bytes32 patient) external view returns (bytes32) {
        return _known(patient).keyBundle;
    }

    /// @inheritdoc IPatientRegistry
    function epochOf(bytes32 patient) external view returns (uint32) {
        return _known(patient).epoch;
    }

    /// @inheritdoc IPatientRegistry
    function nonceOf(bytes32 patient) external view returns (uint256) {
        return _known(patient).nonce;
    }

    /// @inheritdoc IPatientRegistry
    function isSignedBy(bytes32 patient, bytes32 digest, bytes calldata signature) external view returns (bool) {
        return Signers.isValid(_known(patient).signer, digest, signature);
    }

    /// @dev A registered patient always has a key bundle, so an empty one marks an unknown id.
    function _known(bytes32 patient) private view returns (Patient storage entry) {
        entry = _patients[patient];
        if (entry.keyBundle == 0) revert PatientUnknown(patient);
    }
}
