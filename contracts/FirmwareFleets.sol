// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {FirmwareBrakes} from "./FirmwareBrakes.sol";
import {IFirmwareFleets} from "./interfaces/IFirmwareFleets.sol";
import {AttestorState, AttestorStateLib} from "./libraries/AttestorState.sol";
import {ModelHead} from "./libraries/ModelHead.sol";
import {ReleaseState, ReleaseStateLib} from "./libraries/ReleaseState.sol";
import {RiskClasses} from "./libraries/RiskClasses.sol";
import {Signers} from "./libraries/Signers.sol";

/// @title What comes back from the devices: failures that stop a release, and anchored reports
abstract contract FirmwareFleets is IFirmwareFleets, FirmwareBrakes {
    /// @dev The newest list, and before `since` the one that it will replace.
    struct Fleet {
        bytes32 root;
        uint32 devices;
        uint32 version;
        uint40 since;
        bytes32 formerRoot;
        uint32 formerDevices;
    }

    /// @dev Longer than a release waits: stolen release keys must not publish and silence the devices at once.
    uint256 private constant DEVICE_KEYS_DELAY = 7 days;

    bytes32 private constant DEVICE_KEYS_TYPEHASH = keccak256(
        "DeviceKeys(bytes32 model,bytes32 root,uint32 devices,uint32 version,uint256 deadline)"
    );
    bytes32 private constant FAILURE_TYPEHASH = keccak256(
        "Failure(bytes32 model,uint32 sequence,uint8 round,uint256 deadline)"
    );
    bytes32 private constant ATTESTOR_ADDITION_TYPEHASH = keccak256(
        "AttestorAddition(bytes32 model,bytes signer,uint256 deadline)"
    );
    bytes32 private constant ATTESTOR_REMOVAL_TYPEHASH = keccak256(
        "AttestorRemoval(bytes32 model,address attestor,uint256 deadline)"
    );
    bytes32 private constant FLEET_REPORT_TYPEHASH = keccak256(
        "FleetReport(bytes32 model,uint32 epoch,bytes32 root,uint32 confirmed,uint32 failed,uint32 rolledBack,uint256 deadline)"
    );

    mapping(bytes32 model => Fleet) private _fleets;
    mapping(bytes32 model => mapping(address attestor => AttestorState)) private _attestors;

    /// @inheritdoc IFirmwareFleets
    function setDeviceKeys(
        bytes32 model,
        bytes32 root,
        uint32 devices,
        uint32 version,
        uint256 deadline,
        Quorum calldata by
    ) external {
        _requireInTime(deadline);
        Fleet storage fleet = _fleets[model];
        if (version != fleet.version + 1) revert DeviceKeysOutOfSequence(fleet.version + 1, version);
        _requireReleasers(
            model,
            by,
            keccak256(abi.encode(DEVICE_KEYS_TYPEHASH, model, root, devices, version, deadline))
        );

        (fleet.formerRoot, fleet.formerDevices) = _inForce(fleet);
        uint40 since = uint40(version == 1 ? block.timestamp : block.timestamp + DEVICE_KEYS_DELAY);
        (fleet.root, fleet.devices, fleet.version, fleet.since) = (root, devices, version, since);
        emit DeviceKeysSet(model, root, devices, version, since);
    }

    /// @inheritdoc IFirmwareFleets
    function tripBreaker(bytes32 model, uint32 sequence, Failure[] calldata failures) external {
        ModelHead head = _knownHead(model);
        ReleaseState state = _knownRelease(model, sequence);
        _requireGoing(state);
        Status status = _statusOf(head, sequence, state);
        if (status != Status.Staged && status != Status.Active) revert ReleaseStatusUnfit(status);
        (bytes32 root, uint32 devices) = _inForce(_fleets[model]);
        uint256 needed = _failuresNeeded(devices, head, status);
        if (failures.length < needed) revert FailuresTooFew(failures.length, needed);
        address last = address(0);
        for (uint256 i = 0; i < failures.length; ++i) {
            last = _requireFailure(root, model, sequence, state.round(), failures[i], last);
        }

        emit BreakerTripped(model, sequence, failures.length);
        _hold(model, sequence, state, 0, ReleaseStateLib.FIRM);
    }

    /// @inheritdoc IFirmwareFleets
    function addAttestor(bytes32 model, bytes calldata signer, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        _requireWellFormed(signer);
        address attestor = Signers.id(signer);
        if (!_attestors[model][attestor].isStranger()) revert AttestorKnown(attestor);
        _requireReleasers(
            model,
            by,
            keccak256(abi.encode(ATTESTOR_ADDITION_TYPEHASH, model, keccak256(signer), deadline))
        );

        _attestors[model][attestor] = AttestorStateLib.allowed();
        emit AttestorAdded(model, signer);
    }

    /// @inheritdoc IFirmwareFleets
    function removeAttestor(bytes32 model, address attestor, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        AttestorState state = _allowedAttestor(model, attestor);
        _requireReleasers(model, by, keccak256(abi.encode(ATTESTOR_REMOVAL_TYPEHASH, model, attestor, deadline)));

        _attestors[model][attestor] = state.withRemoval();
        emit AttestorRemoved(model, attestor);
    }

    /// @inheritdoc IFirmwareFleets
    function anchorReport(FleetReport calldata report, bytes calldata signer, bytes calldata signature) external {
        _requireInTime(report.deadline);
        _requireWellFormed(signer);
        address attestor = Signers.id(signer);
        AttestorState state = _allowedAttestor(report.model, attestor);
        if (report.epoch <= state.epoch()) revert ReportOutOfSequence(state.epoch(), report.epoch);
        _requireSigned(signer, keccak256(abi.encode(FLEET_REPORT_TYPEHASH, report)), signature);

        _attestors[report.model][attestor] = state.withReport(report.epoch, report.root);
        emit ReportAnchored(report.model, attestor, report);
    }

    /// @inheritdoc IFirmwareFleets
    function deviceKeysOf(
        bytes32 model
    ) external view returns (bytes32 root, uint32 devices, uint32 version, uint40 since) {
        Fleet storage fleet = _fleets[model];
        return (fleet.root, fleet.devices, fleet.version, fleet.since);
    }

    /// @inheritdoc IFirmwareFleets
    function attestorOf(
        bytes32 model,
        address attestor
    ) external view returns (bool isAllowed, uint32 epoch, uint208 head) {
        AttestorState state = _attestors[model][attestor];
        return (state.isAllowed(), state.epoch(), state.head());
    }

    function _allowedAttestor(bytes32 model, address attestor) private view returns (AttestorState state) {
        state = _attestors[model][attestor];
        if (!state.isAllowed()) revert AttestorUnknown(attestor);
    }

    function _inForce(Fleet storage fleet) private view returns (bytes32 root, uint32 devices) {
        if (block.timestamp < fleet.since) return (fleet.formerRoot, fleet.formerDevices);
        return (fleet.root, fleet.devices);
    }

    /// @dev More than the error budget of the devices that the release was offered to, and never fewer than a handful.
    function _failuresNeeded(uint32 devices, ModelHead head, Status status) private pure returns (uint256) {
        uint256 bps = status == Status.Staged ? head.rolloutBps() : 10_000;
        uint256 budget = RiskClasses.errorBudgetBps(head.riskClass());
        uint256 needed = (uint256(devices) * bps * budget) / 1e8 + 1;
        uint256 fewest = RiskClasses.breakerDevices(head.riskClass());
        return needed < fewest ? fewest : needed;
    }

    function _requireFailure(
        bytes32 root,
        bytes32 model,
        uint32 sequence,
        uint8 round,
        Failure calldata failure,
        address last
    ) private view returns (address device) {
        _requireInTime(failure.deadline);
        _requireWellFormed(failure.signer);
        device = Signers.id(failure.signer);
        if (device <= last) revert DeviceOutOfOrder(device);
        // Hashed twice, so that no inner node of the tree can be taken for a leaf.
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(device))));
        if (!MerkleProof.verifyCalldata(failure.proof, root, leaf)) revert DeviceUnknown(device);
        _requireSigned(
            failure.signer,
            keccak256(abi.encode(FAILURE_TYPEHASH, model, sequence, round, failure.deadline)),
            failure.signature
        );
    }
}
