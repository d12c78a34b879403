// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IPatientRecovery} from "./interfaces/IPatientRecovery.sol";
import {PatientWord} from "./libraries/PatientWord.sol";
import {Signers} from "./libraries/Signers.sol";
import {PatientRegistry} from "./PatientRegistry.sol";

/**
 * @title How a patient who lost its key gets its pseudonym back
 * @dev Opening a recovery uses a nonce, and the recovery belongs to the next one: whatever the present signer does with
 * that voids it. What was signed before and held back has another nonce and cannot; nor do the same approvals open a
 * second one. Vetoing is never paused; completing is, so a pause can only lengthen the time for a veto.
 */
abstract contract PatientRecovery is IPatientRecovery, PatientRegistry {
    /// @dev One slot for the two numbers, one for the root.
    struct Guardians {
        bytes32 root;
        uint8 threshold;
        uint32 delay;
    }

    /// @dev One slot. `nonce` is the patient's since the recovery was opened.
    struct Pending {
        address newSigner;
        uint40 readyAt;
        uint32 nonce;
    }

    uint8 private constant MIN_THRESHOLD = 2;
    uint32 private constant MIN_DELAY = 1 days;
    uint32 private constant MAX_DELAY = 30 days;

    /// @dev How long a recovery can be completed after its delay. What guardians once wanted does not hang over a patient.
    uint40 private constant TIME_TO_COMPLETE = 30 days;

    bytes32 private constant GUARDIAN_SET_TYPEHASH = keccak256(
        "GuardianSet(bytes32 patient,bytes32 root,uint8 threshold,uint32 delay,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant RECOVERY_TYPEHASH = keccak256(
        "Recovery(bytes32 patient,bytes newSigner,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant RECOVERY_VETO_TYPEHASH = keccak256(
        "RecoveryVeto(bytes32 patient,uint256 nonce,uint256 deadline)"
    );

    mapping(bytes32 patient => Guardians) private _guardians;
    mapping(bytes32 patient => Pending) private _recoveries;

    /// @inheritdoc IPatientRecovery
    function setGuardians(
        bytes32 patient,
        bytes32 root,
        uint8 threshold,
        uint32 delay,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        if (root != 0) {
            if (threshold < MIN_THRESHOLD) revert GuardianThresholdInvalid(threshold);
            if (delay < MIN_DELAY || delay > MAX_DELAY) revert RecoveryDelayInvalid(delay);
        } else {
            if (threshold != 0) revert GuardianThresholdInvalid(threshold);
            if (delay != 0) revert RecoveryDelayInvalid(delay);
        }
        PatientWord word = _known(patient);
        _requireSignedBy(
            word.signer(),
            signer,
            keccak256(abi.encode(GUARDIAN_SET_TYPEHASH, patient, root, threshold, delay, word.nonce(), deadline)),
            signature
        );

        _useNonce(patient, word);
        _guardians[patient] = Guardians(root, threshold, delay);
        emit GuardiansSet(patient, root, threshold, delay);
    }

    /// @inheritdoc IPatientRecovery
    function openRecovery(
        bytes32 patient,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata newSignature,
        GuardianApproval[] calldata approvals
    ) external whenNotPaused {
        _requireInTime(deadline);
        _requireWellFormed(newSigner);
        PatientWord word = _known(patient);
        // Opening another would let guardians put the end of the delay off for ever.
        if (_isUnderWay(patient, word)) revert RecoveryUnderWay(patient);
        bytes32 structHash = keccak256(
            abi.encode(RECOVERY_TYPEHASH, patient, keccak256(newSigner), word.nonce(), deadline)
        );
        uint40 readyAt = uint40(block.timestamp + _requireGuardians(patient, structHash, approvals));
        _requireSigned(newSigner, structHash, newSignature);

        uint32 nonce = _useNonce(patient, word).nonce();
        _recoveries[patient] = Pending(Signers.id(newSigner), readyAt, nonce);
        emit RecoveryOpened(patient, newSigner, readyAt, readyAt + TIME_TO_COMPLETE);
    }

    /// @inheritdoc IPatientRecovery
    function vetoRecovery(bytes32 patient, uint256 deadline, bytes calldata signer, bytes calldata signature) external {
        _requireInTime(deadline);
        PatientWord word = _known(patient);
        if (!_isUnderWay(patient, word)) revert RecoveryNotOpen(patient);
        _requireSignedBy(
            word.signer(),
            signer,
            keccak256(abi.encode(RECOVERY_VETO_TYPEHASH, patient, word.nonce(), deadline)),
            signature
        );

        _useNonce(patient, word);
        emit RecoveryVetoed(patient);
    }

    /// @inheritdoc IPatientRecovery
    function completeRecovery(bytes32 patient, bytes calldata newSigner) external whenNotPaused {
        PatientWord word = _known(patient);
        if (!_isUnderWay(patient, word)) revert RecoveryNotOpen(patient);
        Pending memory pending = _recoveries[patient];
        if (Signers.id(newSigner) != pending.newSigner) revert SignerNotTheOne(pending.newSigner);
        if (block.timestamp < pending.readyAt) revert RecoveryTooEarly(pending.readyAt);

        _setSigner(patient, word, newSigner);
    }

    /// @inheritdoc IPatientRecovery
    function guardiansOf(bytes32 patient) external view returns (bytes32 root, uint8 threshold, uint32 delay) {
        _known(patient);
        Guardians storage guardians = _guardians[patient];
        return (guardians.root, guardians.threshold, guardians.delay);
    }

    /// @inheritdoc IPatientRecovery
    function recoveryOf(bytes32 patient) external view returns (address newSigner, uint40 readyAt, uint40 expiresAt) {
        if (!_isUnderWay(patient, _known(patient))) return (address(0), 0, 0);
        Pending storage pending = _recoveries[patient];
        return (pending.newSigner, pending.readyAt, pending.readyAt + TIME_TO_COMPLETE);
    }

    function _isUnderWay(bytes32 patient, PatientWord word) private view returns (bool) {
        Pending storage pending = _recoveries[patient];
        uint40 readyAt = pending.readyAt;
        return readyAt != 0 && pending.nonce == word.nonce() && block.timestamp < readyAt + TIME_TO_COMPLETE;
    }

    /// @dev Reverts unless enough different guardians signed; gives the delay that the patient asks for.
    function _requireGuardians(
        bytes32 patient,
        bytes32 structHash,
        GuardianApproval[] calldata approvals
    ) private view returns (uint32) {
        Guardians memory guardians = _guardians[patient];
        if (guardians.root == 0) revert GuardiansMissing(patient);
        if (approvals.length < guardians.threshold) revert GuardiansTooFew(guardians.threshold, approvals.length);
        address previous = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            GuardianApproval calldata approval = approvals[i];
            address guardian = Signers.id(approval.signer);
            // By signer and not by leaf: a tree that has a guardian under two salts counts it once.
            if (guardian <= previous) revert GuardiansOutOfOrder();
            // Hashed twice, so that no inner node of the tree can pass for a leaf.
            bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(patient, guardian, approval.salt))));
            if (!MerkleProof.verifyCalldata(approval.proof, guardians.root, leaf)) revert GuardianUnknown(leaf);
            _requireSigned(approval.signer, structHash, approval.signature);
            previous = guardian;
        }
        return guardians.delay;
    }
}
