// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IEmergencyAccess} from "./interfaces/IEmergencyAccess.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {EmergencyPolicy, EmergencyPolicyLib} from "./libraries/EmergencyPolicy.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title What patients allow in an emergency
abstract contract EmergencyPolicies is IEmergencyAccess, SignedRequests, Governed {
    /**
     * @dev One slot:
     *
     *  255          184 183            144 143          112 111               0
     * +----------------+------------------+----------------+------------------+
     * |     unused     |   lastBeganAt    |     nonce      |      policy      |
     * +----------------+------------------+----------------+------------------+
     *
     * The patient has said something if the nonce is not 0.
     */
    struct PatientEntry {
        EmergencyPolicy policy;
        uint32 nonce;
        uint40 lastBeganAt;
    }

    bytes32 private constant EMERGENCY_POLICY_TYPEHASH = keccak256(
        "EmergencyPolicy(bytes32 patient,bool isAllowed,uint8 responders,uint32 roles,uint32 maxDuration,uint32 coolDown,uint256 nonce,uint256 deadline)"
    );

    /// @notice Who says which signer a patient has.
    IPatientRegistry public immutable patients;

    mapping(bytes32 patient => PatientEntry) private _patients;

    constructor(IPatientRegistry patients_) {
        patients = patients_;
    }

    /// @inheritdoc IEmergencyAccess
    function setPolicy(
        bytes32 patient,
        EmergencyPolicy policy,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        if (!policy.isSound()) revert EmergencyPolicyUnsound(policy);
        PatientEntry storage entry = _patients[patient];
        if (policy.isLooserThan(_effective(entry))) _requireNotPaused();
        bytes32 structHash = keccak256(
            abi.encode(
                EMERGENCY_POLICY_TYPEHASH,
                patient,
                policy.isAllowed(),
                policy.responders(),
                policy.roles(),
                policy.maxDuration(),
                policy.coolDown(),
                uint256(entry.nonce),
                deadline
            )
        );
        _requireSignedByPatient(patient, structHash, signer, signature);

        entry.policy = policy;
        entry.nonce++;
        emit EmergencyPolicySet(patient, policy);
    }

    /// @inheritdoc IEmergencyAccess
    function policyOf(bytes32 patient) external view returns (EmergencyPolicy policy, bool isOwn) {
        PatientEntry storage entry = _patients[patient];
        return (_effective(entry), entry.nonce != 0);
    }

    /// @inheritdoc IEmergencyAccess
    function policyNonceOf(bytes32 patient) external view returns (uint256) {
        return _patients[patient].nonce;
    }

    /// @dev Reverts unless the patient exists and allows an emergency like this now; notes its beginning.
    function _begin(bytes32 patient, uint256 responders, uint32 duration) internal returns (EmergencyPolicy policy) {
        // Reverts for a patient that nobody registered.
        patients.signerOf(patient);
        PatientEntry storage entry = _patients[patient];
        policy = _effective(entry);
        if (!policy.isAllowed()) revert EmergencyNotAllowed(patient);
        if (responders < policy.responders()) revert EmergencyRespondersTooFew(responders, policy.responders());
        if (duration == 0 || duration > policy.maxDuration())
            revert EmergencyDurationOutOfRange(duration, policy.maxDuration());
        uint256 until = uint256(entry.lastBeganAt) + policy.coolDown();
        if (block.timestamp < until) revert EmergencyTooSoon(until);

        entry.lastBeganAt = uint40(block.timestamp);
    }

    function _requireSignedByPatient(
        bytes32 patient,
        bytes32 structHash,
        bytes calldata signer,
        bytes calldata signature
    ) internal view {
        if (!patients.isSignedBy(patient, signer, _hashTypedDataV4(structHash), signature))
            revert RequestSignatureInvalid();
    }

    function _effective(PatientEntry storage entry) private view returns (EmergencyPolicy) {
        return entry.nonce == 0 ? EmergencyPolicyLib.standard() : entry.policy;
    }
}
