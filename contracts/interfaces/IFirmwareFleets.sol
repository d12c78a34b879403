// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFirmwareBrakes} from "./IFirmwareBrakes.sol";

/**
 * @title What comes back from the devices
 * @notice Enough devices that say a release fails stop it without any guard. Attestors anchor reports about the fleet;
 * neither names a patient, and a device only by its key.
 */
interface IFirmwareFleets is IFirmwareBrakes {
    /// @notice One device's word that a release fails. Signed by it:
    /// `Failure(bytes32 model,uint32 sequence,uint8 round,uint256 deadline)`.
    /// @param signer the device's key, in the form of ERC-7913
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signature over it
    /// @param proof that the key's id is one of the model's device keys: a sorted-pair Merkle path
    struct Failure {
        bytes signer;
        uint256 deadline;
        bytes signature;
        bytes32[] proof;
    }

    /// @notice What an attestor saw of a fleet.
    /// @param model the model
    /// @param epoch the attestor's own number, which rises
    /// @param root Merkle root of the devices' signed reports
    /// @param confirmed devices that run the release well
    /// @param failed devices on which it failed
    /// @param rolledBack devices that went back
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct FleetReport {
        bytes32 model;
        uint32 epoch;
        bytes32 root;
        uint32 confirmed;
        uint32 failed;
        uint32 rolledBack;
        uint256 deadline;
    }

    /// @notice Which devices there are.
    /// @param model the model
    /// @param root of the Merkle tree of their ids
    /// @param devices how many
    /// @param version of this list, from 1
    /// @param since from when on it counts in place of the one before, in seconds since 1970
    event DeviceKeysSet(bytes32 indexed model, bytes32 root, uint32 devices, uint32 version, uint40 since);

    /// @notice Devices stopped a release.
    /// @param model the model
    /// @param sequence the release
    /// @param failures how many devices said that it fails
    event BreakerTripped(bytes32 indexed model, uint32 indexed sequence, uint256 failures);

    /// @notice Somebody may anchor reports.
    /// @param model about which model
    /// @param signer who, in the form of ERC-7913
    event AttestorAdded(bytes32 indexed model, bytes signer);

    /// @notice Somebody may no longer anchor reports, for ever.
    /// @param model about which model
    /// @param attestor id of the signer
    event AttestorRemoved(bytes32 indexed model, address attestor);

    /// @notice A report is anchored.
    /// @param model the model
    /// @param attestor id of the signer
    /// @param report what was signed
    event ReportAnchored(bytes32 indexed model, address indexed attestor, FleetReport report);

    /// @notice The list of devices has another version.
    /// @param expected the next version
    /// @param given what was signed
    error DeviceKeysOutOfSequence(uint32 expected, uint32 given);

    /// @notice Devices must come with strictly rising ids, each once.
    /// @param device the id that is out of order
    error DeviceOutOfOrder(address device);

    /// @notice The key is not one of the model's devices.
    /// @param device its id
    error DeviceUnknown(address device);

    /// @notice Too few devices failed to stop the release.
    /// @param failures how many did
    /// @param needed how many it takes
    error FailuresTooFew(uint256 failures, uint256 needed);

    /// @notice The attestor was added before, or removed for ever.
    /// @param attestor its id
    error AttestorKnown(address attestor);

    /// @notice No such attestor.
    /// @param attestor its id
    error AttestorUnknown(address attestor);

    /// @notice The attestor's reports have rising numbers.
    /// @param newest the newest one
    /// @param given what was signed
    error ReportOutOfSequence(uint32 newest, uint32 given);

    /// @notice Says which devices there are. The first list counts at once, a later one in 7 days, unless another takes its
    /// place before: lists that follow each other faster never count. Signed by the release keys:
    /// `DeviceKeys(bytes32 model,bytes32 root,uint32 devices,uint32 version,uint256 deadline)`.
    /// @param model the model
    /// @param root of the Merkle tree; its leaves are keccak256(bytes.concat(keccak256(abi.encode(id))))
    /// @param devices how many
    /// @param version one more than the present one
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function setDeviceKeys(
        bytes32 model,
        bytes32 root,
        uint32 devices,
        uint32 version,
        uint256 deadline,
        Quorum calldata by
    ) external;

    /// @notice Stops a release that fails on more devices than its class allows. Anybody may.
    /// @param model the model
    /// @param sequence the release
    /// @param failures by rising id of the device
    function tripBreaker(bytes32 model, uint32 sequence, Failure[] calldata failures) external;

    /// @notice Lets somebody anchor reports. Signed by the release keys:
    /// `AttestorAddition(bytes32 model,bytes signer,uint256 deadline)`.
    /// @param model the model
    /// @param signer who, in the form of ERC-7913
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function addAttestor(bytes32 model, bytes calldata signer, uint256 deadline, Quorum calldata by) external;

    /// @notice Ends that, for ever. Signed by the release keys:
    /// `AttestorRemoval(bytes32 model,address attestor,uint256 deadline)`.
    /// @param model the model
    /// @param attestor id of the signer
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function removeAttestor(bytes32 model, address attestor, uint256 deadline, Quorum calldata by) external;

    /// @notice Anchors a report. Signed by an attestor:
    /// `FleetReport(bytes32 model,uint32 epoch,bytes32 root,uint32 confirmed,uint32 failed,uint32 rolledBack,uint256 deadline)`.
    /// @param report what is signed
    /// @param signer the attestor, in the form of ERC-7913
    /// @param signature over it
    function anchorReport(FleetReport calldata report, bytes calldata signer, bytes calldata signature) external;

    /// @notice Which devices there are, by the newest list.
    /// @param model the model
    /// @return root of the Merkle tree of their ids
    /// @return devices how many
    /// @return version of this list; 0 if there is none
    /// @return since from when on it counts in place of the one before, in seconds since 1970
    function deviceKeysOf(
        bytes32 model
    ) external view returns (bytes32 root, uint32 devices, uint32 version, uint40 since);

    /// @notice Where an attestor stands.
    /// @param model the model
    /// @param attestor id of the signer
    /// @return isAllowed whether it may anchor
    /// @return epoch of its newest report
    /// @return head last 26 bytes of keccak256(abi.encode(head before, epoch, root)), from 0: proves that no log is missing
    function attestorOf(
        bytes32 model,
        address attestor
    ) external view returns (bool isAllowed, uint32 epoch, uint208 head);
}
