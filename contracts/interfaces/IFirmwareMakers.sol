// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeySets} from "./IKeySets.sol";

/**
 * @title Manufacturers and their keys
 * @notice A manufacturer has four sets of keys. ROOT replaces keys and ends models; RELEASE publishes; any one GUARD
 * stops; STEWARDs may only stop, and only once the manufacturer is gone. Ids of signers are their addresses, or the last
 * 20 bytes of the keccak-256 of longer ones. The contract keeps a digest of each set; whoever submits brings the ids.
 */
interface IFirmwareMakers is IKeySets {
    /// @notice The sets of a manufacturer, in the order of their power.
    enum Role {
        Root,
        Release,
        Guard,
        Steward
    }

    /// @notice A set of signers.
    /// @param threshold how many of them it takes
    /// @param signers in the form of ERC-7913, at most 16
    struct SignerSet {
        uint8 threshold;
        bytes[] signers;
    }

    /// @notice All keys of a manufacturer.
    /// @param root who replaces keys
    /// @param release who publishes
    /// @param guard each of whom stops alone: its threshold is 1. The first one is on duty
    /// @param steward who may stop once the manufacturer is gone; may be empty, with threshold 0
    /// @param silenceDays days without a sign of life after which it counts as gone, 30 to 3650
    struct Keysets {
        SignerSet root;
        SignerSet release;
        SignerSet guard;
        SignerSet steward;
        uint16 silenceDays;
    }

    /// @notice A set in force and the signatures of enough of its signers.
    /// @param threshold of the set
    /// @param ids of all its signers, in its order
    /// @param approvals with strictly rising index
    struct Quorum {
        uint8 threshold;
        address[] ids;
        Approval[] approvals;
    }

    /// @notice A manufacturer exists.
    /// @param manufacturer its id
    /// @param keysets its keys
    event ManufacturerRegistered(bytes32 indexed manufacturer, Keysets keysets);

    /// @notice New keys will come in force, and no release key counts until then, or until the freeze is over.
    /// @param manufacturer its id
    /// @param due time from which anybody can complete it, in seconds since 1970
    /// @param frozenUntil end of the freeze, in seconds since 1970; in the past if the last one was too recent
    /// @param keysets the new keys
    event RotationProposed(bytes32 indexed manufacturer, uint40 due, uint40 frozenUntil, Keysets keysets);

    /// @notice The proposed keys do not come in force.
    /// @param manufacturer its id
    event RotationCancelled(bytes32 indexed manufacturer);

    /// @notice The proposed keys are in force.
    /// @param manufacturer its id
    /// @param version of its keys
    event KeysetsRotated(bytes32 indexed manufacturer, uint32 version);

    /// @notice The manufacturer is still there.
    /// @param manufacturer its id
    event Heartbeat(bytes32 indexed manufacturer);

    /// @notice Silence of fewer than 30 or more than 3650 days.
    /// @param silenceDays what was asked for
    error SilenceInvalid(uint16 silenceDays);

    /// @notice This set of keys is registered already under this salt.
    /// @param manufacturer the id
    error ManufacturerAlreadyRegistered(bytes32 manufacturer);

    /// @notice No manufacturer has this id.
    /// @param manufacturer the id
    error ManufacturerUnknown(bytes32 manufacturer);

    /// @notice The keys that were brought are not those in force.
    /// @param digest of those in force: keccak256(abi.encode(uint8 threshold, address[] ids))
    error KeysetNotInForce(bytes32 digest);

    /// @notice The root keys are being replaced; until that is done no release key counts.
    /// @param frozenUntil time until which that lasts if it is not done, in seconds since 1970
    error ReleaseKeysFrozen(uint40 frozenUntil);

    /// @notice Another rotation or cancellation came in between.
    /// @param expected the next nonce
    /// @param given what was signed
    error RotationOutOfSequence(uint32 expected, uint32 given);

    /// @notice No rotation is under way, or not to these keys.
    error RotationNotProposed();

    /// @notice The rotation can be completed only later.
    /// @param due from when on, in seconds since 1970
    error RotationNotDue(uint40 due);

    /// @notice The sign of life was signed before another one.
    /// @param previous time of the newest one, in seconds since 1970
    error HeartbeatStale(uint40 previous);

    /// @notice Registers a manufacturer. Needs no signature: its id is a hash of its keys.
    /// @param keysets its keys
    /// @param salt chosen by it
    /// @return manufacturer the id
    function registerManufacturer(Keysets calldata keysets, bytes32 salt) external returns (bytes32 manufacturer);

    /// @notice Proposes new keys. In force at the earliest 48 hours later. No release key counts until then or for 7 days,
    /// whichever is shorter, and proposals freeze nothing in the 14 days after that. Signed by the old and the new root
    /// keys, with the threshold of each:
    /// `KeysetRotation(bytes32 manufacturer,bytes32 keysets,uint32 nonce,uint256 deadline)`.
    /// @param manufacturer the id
    /// @param next the new keys
    /// @param nonce as {manufacturerOf} gives it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param byOld the root keys in force
    /// @param byNew the new root keys
    function proposeRotation(
        bytes32 manufacturer,
        Keysets calldata next,
        uint32 nonce,
        uint256 deadline,
        Quorum calldata byOld,
        Quorum calldata byNew
    ) external;

    /// @notice Ends a rotation before it comes in force. Signed by the root keys in force:
    /// `RotationCancellation(bytes32 manufacturer,uint32 nonce,uint256 deadline)`.
    /// @param manufacturer the id
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the root keys in force
    function cancelRotation(bytes32 manufacturer, uint256 deadline, Quorum calldata by) external;

    /// @notice Puts proposed keys in force. Anybody may, once it is due.
    /// @param manufacturer the id
    /// @param next the keys as proposed
    function completeRotation(bytes32 manufacturer, Keysets calldata next) external;

    /// @notice A sign of life. Signed by the release keys:
    /// `HeartbeatSign(bytes32 manufacturer,uint40 previous,uint256 deadline)`.
    /// @param manufacturer the id
    /// @param previous time of the one before, in seconds since 1970
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function heartbeat(bytes32 manufacturer, uint40 previous, uint256 deadline, Quorum calldata by) external;

    /// @notice Where a manufacturer stands.
    /// @param manufacturer the id
    /// @return version of its keys, from 1
    /// @return rotationNonce what the next rotation or cancellation signs
    /// @return rotationDue from when on the one under way can be completed; 0 if there is none
    /// @return frozenUntil until when release keys do not count while one is under way, in seconds since 1970
    /// @return heartbeatAt its newest sign of life, in seconds since 1970
    /// @return keysets digests of its sets in the order of {Role}
    function manufacturerOf(
        bytes32 manufacturer
    )
        external
        view
        returns (
            uint32 version,
            uint32 rotationNonce,
            uint40 rotationDue,
            uint40 frozenUntil,
            uint40 heartbeatAt,
            bytes32[4] memory keysets
        );
}
