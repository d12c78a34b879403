// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Governed} from "./Governed.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title Which research policies patients have signed, as digests
 * @dev Two slots a consent: the digest, and the rest. Each change carries the revision it makes, so none is done twice or
 * out of order; a withdrawal needs none, since nothing follows it.
 */
contract ConsentRegistry is IConsentRegistry, Governed, SignedRequests {
    /// @dev The digest's slot, and the others' in one. `givenBlock` stays when the consent is withdrawn.
    struct Entry {
        bytes32 policy;
        uint32 revision;
        uint64 givenBlock;
        uint64 sinceBlock;
        uint40 sinceTime;
        bool isWithdrawn;
    }

    bytes32 private constant CONSENT_TYPEHASH = keccak256(
        "Consent(bytes32 patient,bytes32 consentId,bytes32 policy,uint32 revision,uint256 deadline)"
    );
    bytes32 private constant CONSENT_WITHDRAWAL_TYPEHASH = keccak256(
        "ConsentWithdrawal(bytes32 patient,bytes32 consentId,uint256 deadline)"
    );

    /// @inheritdoc IConsentRegistry
    IPatientRegistry public immutable patients;

    mapping(bytes32 patient => mapping(bytes32 consentId => Entry)) private _consents;

    constructor(
        address authority,
        IPatientRegistry patients_
    ) AccessManaged(authority) EIP712("Salus ConsentRegistry", "1") {
        patients = patients_;
    }

    /// @inheritdoc IConsentRegistry
    function give(
        bytes32 patient,
        bytes32 consentId,
        bytes32 policy,
        uint32 revision,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external whenNotPaused {
        _requireInTime(deadline);
        if (policy == 0) revert ConsentPolicyMissing();
        Entry storage entry = _consents[patient][consentId];
        if (entry.isWithdrawn) revert ConsentIsWithdrawn(consentId);
        if (revision != entry.revision + 1) revert ConsentOutOfSequence(entry.revision + 1, revision);
        bytes32 structHash = keccak256(abi.encode(CONSENT_TYPEHASH, patient, consentId, policy, revision, deadline));
        _requireSignedByPatient(patient, signer, structHash, signature);

        uint64 number = uint64(block.number);
        _consents[patient][consentId] = Entry(policy, revision, number, number, uint40(block.timestamp), false);
        emit ConsentGiven(patient, consentId, policy, revision);
    }

    /// @inheritdoc IConsentRegistry
    function withdraw(
        bytes32 patient,
        bytes32 consentId,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        Entry storage entry = _consents[patient][consentId];
        if (entry.isWithdrawn) revert ConsentIsWithdrawn(consentId);
        bytes32 structHash = keccak256(abi.encode(CONSENT_WITHDRAWAL_TYPEHASH, patient, consentId, deadline));
        _requireSignedByPatient(patient, signer, structHash, signature);

        entry.sinceBlock = uint64(block.number);
        entry.sinceTime = uint40(block.timestamp);
        entry.isWithdrawn = true;
        emit ConsentWithdrawn(patient, consentId);
    }

    /// @inheritdoc IConsentRegistry
    function consentOf(bytes32 patient, bytes32 consentId) external view returns (Consent memory) {
        Entry storage entry = _consents[patient][consentId];
        return Consent(entry.policy, entry.revision, entry.sinceBlock, entry.sinceTime, entry.isWithdrawn);
    }

    /// @inheritdoc IConsentRegistry
    function countsAt(bytes32 patient, bytes32 consentId, uint64 windowBlock) external view returns (bool) {
        Entry storage entry = _consents[patient][consentId];
        if (entry.policy == 0 || windowBlock < entry.givenBlock) return false;
        return !entry.isWithdrawn || windowBlock <= entry.sinceBlock;
    }

    function _requireSignedByPatient(
        bytes32 patient,
        bytes calldata signer,
        bytes32 structHash,
        bytes calldata signature
    ) private view {
        if (!patients.isSignedBy(patient, signer, _hashTypedDataV4(structHash), signature))
            revert RequestSignatureInvalid();
    }
}
