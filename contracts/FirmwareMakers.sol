// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IFirmwareMakers} from "./interfaces/IFirmwareMakers.sol";
import {MakerState} from "./libraries/MakerState.sol";
import {KeySets} from "./libraries/KeySets.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title Manufacturers and their keys
 * @dev One digest per set instead of its signers: a request reads one slot, however many signers there are, and brings
 * their ids.
 */
abstract contract FirmwareMakers is IFirmwareMakers, SignedRequests, Governed {
    struct Rotation {
        bytes32 digest;
        uint40 frozenUntil;
    }

    uint16 private constant MIN_SILENCE_DAYS = 30;
    uint16 private constant MAX_SILENCE_DAYS = 3650;

    /// @dev Time to notice a rotation that nobody meant, and to cancel it.
    uint256 private constant ROTATION_DELAY = 48 hours;

    /// @dev How long at most release keys count for nothing because of rotations that do not come in force.
    uint256 private constant FREEZE = 7 days;

    /// @dev How long they count after that, whatever is proposed: repeated proposals must not starve the devices.
    uint256 private constant THAW = 14 days;

    bytes32 private constant KEYSET_ROTATION_TYPEHASH = keccak256(
        "KeysetRotation(bytes32 manufacturer,bytes32 keysets,uint32 nonce,uint256 deadline)"
    );
    bytes32 private constant ROTATION_CANCELLATION_TYPEHASH = keccak256(
        "RotationCancellation(bytes32 manufacturer,uint32 nonce,uint256 deadline)"
    );
    bytes32 private constant HEARTBEAT_SIGN_TYPEHASH = keccak256(
        "HeartbeatSign(bytes32 manufacturer,uint40 previous,uint256 deadline)"
    );

    mapping(bytes32 manufacturer => MakerState) private _makers;
    mapping(bytes32 manufacturer => mapping(Role role => bytes32 digest)) private _keysets;
    mapping(bytes32 manufacturer => Rotation) private _rotations;

    /// @inheritdoc IFirmwareMakers
    function registerManufacturer(
        Keysets calldata keysets,
        bytes32 salt
    ) external whenNotPaused returns (bytes32 manufacturer) {
        bytes32[4] memory digests = _digestsOf(keysets);
        manufacturer = keccak256(abi.encode(_digestOfAll(digests, keysets.silenceDays), salt));
        if (_makers[manufacturer].isRegistered()) revert ManufacturerAlreadyRegistered(manufacturer);

        _putInForce(manufacturer, MakerState.wrap(0), keysets, digests);
        emit ManufacturerRegistered(manufacturer, keysets);
    }

    /// @inheritdoc IFirmwareMakers
    function proposeRotation(
        bytes32 manufacturer,
        Keysets calldata next,
        uint32 nonce,
        uint256 deadline,
        Quorum calldata byOld,
        Quorum calldata byNew
    ) external {
        _requireInTime(deadline);
        MakerState maker = _knownMaker(manufacturer);
        if (nonce != maker.rotationNonce()) revert RotationOutOfSequence(maker.rotationNonce(), nonce);
        bytes32[4] memory digests = _digestsOf(next);
        bytes32 digest = _digestOfAll(digests, next.silenceDays);
        bytes32 structHash = keccak256(abi.encode(KEYSET_ROTATION_TYPEHASH, manufacturer, digest, nonce, deadline));
        _requireQuorum(_keysetOf(manufacturer, Role.Root), byOld, structHash);
        _requireQuorum(digests[0], byNew, structHash);

        uint40 due = uint40(block.timestamp + ROTATION_DELAY);
        _makers[manufacturer] = maker.withRotation(due);
        Rotation storage rotation = _rotations[manufacturer];
        rotation.digest = digest;
        if (block.timestamp >= rotation.frozenUntil + THAW) rotation.frozenUntil = uint40(block.timestamp + FREEZE);
        emit RotationProposed(manufacturer, due, rotation.frozenUntil, next);
    }

    /// @inheritdoc IFirmwareMakers
    function cancelRotation(bytes32 manufacturer, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        MakerState maker = _knownMaker(manufacturer);
        if (maker.rotationDue() == 0) revert RotationNotProposed();
        bytes32 structHash = keccak256(
            abi.encode(ROTATION_CANCELLATION_TYPEHASH, manufacturer, maker.rotationNonce(), deadline)
        );
        _requireQuorum(_keysetOf(manufacturer, Role.Root), by, structHash);

        _makers[manufacturer] = maker.withRotation(0);
        emit RotationCancelled(manufacturer);
    }

    /// @inheritdoc IFirmwareMakers
    function completeRotation(bytes32 manufacturer, Keysets calldata next) external {
        MakerState maker = _knownMaker(manufacturer);
        bytes32[4] memory digests = _digestsOf(next);
        uint40 due = maker.rotationDue();
        if (due == 0 || _rotations[manufacturer].digest != _digestOfAll(digests, next.silenceDays))
            revert RotationNotProposed();
        if (block.timestamp < due) revert RotationNotDue(due);

        _putInForce(manufacturer, maker.withRotation(0), next, digests);
        delete _rotations[manufacturer];
        emit KeysetsRotated(manufacturer, maker.version() + 1);
    }

    /// @inheritdoc IFirmwareMakers
    function heartbeat(bytes32 manufacturer, uint40 previous, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        MakerState maker = _releasingMaker(manufacturer);
        if (previous != maker.heartbeatAt()) revert HeartbeatStale(maker.heartbeatAt());
        bytes32 structHash = keccak256(abi.encode(HEARTBEAT_SIGN_TYPEHASH, manufacturer, previous, deadline));
        _requireQuorum(_keysetOf(manufacturer, Role.Release), by, structHash);

        _makers[manufacturer] = maker.withHeartbeat(block.timestamp);
        emit Heartbeat(manufacturer);
    }

    /// @inheritdoc IFirmwareMakers
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
        )
    {
        MakerState maker = _knownMaker(manufacturer);
        for (uint256 i = 0; i < 4; ++i) keysets[i] = _keysetOf(manufacturer, Role(i));
        uint40 frozen = _rotations[manufacturer].frozenUntil;
        return (maker.version(), maker.rotationNonce(), maker.rotationDue(), frozen, maker.heartbeatAt(), keysets);
    }

    function _keysetOf(bytes32 manufacturer, Role role) internal view returns (bytes32) {
        return _keysets[manufacturer][role];
    }

    function _knownMaker(bytes32 manufacturer) internal view returns (MakerState maker) {
        maker = _makers[manufacturer];
        if (!maker.isRegistered()) revert ManufacturerUnknown(manufacturer);
    }

    /// @dev A manufacturer whose release keys count: while the root keys are replaced, nobody knows whose they are.
    function _releasingMaker(bytes32 manufacturer) internal view returns (MakerState maker) {
        maker = _knownMaker(manufacturer);
        if (maker.rotationDue() == 0) return maker;
        uint40 until = _rotations[manufacturer].frozenUntil;
        if (block.timestamp < until) revert ReleaseKeysFrozen(until);
    }

    /// @dev Reverts unless the set is the one of this digest and enough of it signed.
    function _requireQuorum(bytes32 keyset, Quorum calldata quorum, bytes32 structHash) internal view {
        // The digest of a set that may be empty: without a threshold nobody can be asked.
        if (quorum.threshold == 0 || _digestOf(quorum) != keyset) revert KeysetNotInForce(keyset);
        KeySets.requireApprovals(quorum.ids, quorum.threshold, _hashTypedDataV4(structHash), quorum.approvals);
    }

    function _digestOf(Quorum calldata quorum) internal pure returns (bytes32) {
        return KeySets.digestOfGiven(quorum.threshold, quorum.ids);
    }

    /// @dev Also a sign of life: the release keys may be others than those that gave the last one.
    function _putInForce(
        bytes32 manufacturer,
        MakerState maker,
        Keysets calldata keysets,
        bytes32[4] memory digests
    ) private {
        _makers[manufacturer] = maker
            .withKeysets(
                uint88(uint160(Signers.id(keysets.guard.signers[0]))),
                keysets.root.threshold,
                keysets.silenceDays
            )
            .withVersion(maker.version() + 1)
            .withHeartbeat(block.timestamp);
        for (uint256 i = 0; i < 4; ++i) _keysets[manufacturer][Role(i)] = digests[i];
    }

    /// @dev The digests of four sound sets, in the order of {Role}.
    function _digestsOf(Keysets calldata keysets) private pure returns (bytes32[4] memory digests) {
        if (keysets.silenceDays < MIN_SILENCE_DAYS || keysets.silenceDays > MAX_SILENCE_DAYS)
            revert SilenceInvalid(keysets.silenceDays);
        if (keysets.guard.threshold != 1) revert ThresholdInvalid(keysets.guard.threshold);
        digests[0] = _digestOfSet(keysets.root, 1);
        digests[1] = _digestOfSet(keysets.release, 1);
        digests[2] = _digestOfSet(keysets.guard, 1);
        digests[3] = _digestOfSet(keysets.steward, 0);
    }

    function _digestOfAll(bytes32[4] memory digests, uint16 silenceDays) private pure returns (bytes32) {
        return keccak256(abi.encode(digests, silenceDays));
    }

    function _digestOfSet(SignerSet calldata set, uint256 fewest) internal pure returns (bytes32) {
        address[] memory ids = KeySets.idsOf(set.signers, fewest);
        // An empty set has no threshold.
        if (ids.length > 0 || set.threshold > 0) KeySets.requireThreshold(set.threshold, ids.length);
        return KeySets.digest(set.threshold, ids);
    }
}
