// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FirmwareReleases} from "./FirmwareReleases.sol";
import {IFirmwareSunsets} from "./interfaces/IFirmwareSunsets.sol";
import {ModelHead} from "./libraries/ModelHead.sol";

/// @title How root keys end a model
abstract contract FirmwareSunsets is IFirmwareSunsets, FirmwareReleases {
    /// @dev `keysetVersion` is that of the maker's keys when it was proposed; `due` is 0 while none is under way.
    struct Sunset {
        bytes32 stewards;
        uint32 nonce;
        uint32 finalSequence;
        uint32 keysetVersion;
        uint40 due;
    }

    /// @dev Time to notice a sunset that nobody meant, and to cancel it: it cannot be undone.
    uint256 private constant SUNSET_DELAY = 48 hours;

    bytes32 private constant SUNSET_TYPEHASH = keccak256(
        "Sunset(bytes32 model,uint32 finalSequence,bytes32 stewards,uint32 nonce,uint256 deadline)"
    );
    bytes32 private constant SUNSET_CANCELLATION_TYPEHASH = keccak256(
        "SunsetCancellation(bytes32 model,uint32 nonce,uint256 deadline)"
    );

    mapping(bytes32 model => Sunset) private _sunsets;

    /// @inheritdoc IFirmwareSunsets
    function proposeSunset(
        bytes32 model,
        uint32 finalSequence,
        SignerSet calldata stewards,
        uint32 nonce,
        uint256 deadline,
        Quorum calldata by
    ) external {
        _requireInTime(deadline);
        ModelHead head = _continuedHead(model);
        Sunset storage sunset = _sunsets[model];
        if (nonce != sunset.nonce) revert SunsetOutOfSequence(sunset.nonce, nonce);
        if (finalSequence != head.latest()) revert ReleaseOutOfSequence(head.latest(), finalSequence);
        bytes32 keyset = _digestOfSet(stewards, 1);
        _requireRoots(model, by, keccak256(abi.encode(SUNSET_TYPEHASH, model, finalSequence, keyset, nonce, deadline)));

        uint40 due = uint40(block.timestamp + SUNSET_DELAY);
        sunset.stewards = keyset;
        (sunset.nonce, sunset.finalSequence, sunset.due) = (nonce + 1, finalSequence, due);
        sunset.keysetVersion = _knownMaker(_manufacturers[model]).version();
        emit SunsetProposed(model, finalSequence, due, stewards);
    }

    /// @inheritdoc IFirmwareSunsets
    function cancelSunset(bytes32 model, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        Sunset storage sunset = _sunsets[model];
        if (sunset.due == 0) revert SunsetNotProposed();
        uint32 nonce = sunset.nonce;
        _requireRoots(model, by, keccak256(abi.encode(SUNSET_CANCELLATION_TYPEHASH, model, nonce, deadline)));

        (sunset.nonce, sunset.due) = (nonce + 1, 0);
        emit SunsetCancelled(model);
    }

    /// @inheritdoc IFirmwareSunsets
    function completeSunset(bytes32 model) external {
        Sunset storage sunset = _sunsets[model];
        (uint40 due, uint32 finalSequence) = (sunset.due, sunset.finalSequence);
        // Keys that were replaced for a reason end nothing any more.
        if (due == 0 || sunset.keysetVersion != _knownMaker(_manufacturers[model]).version())
            revert SunsetNotProposed();
        ModelHead head = _heads[model];
        if (finalSequence != head.latest()) revert ReleaseOutOfSequence(head.latest(), finalSequence);
        if (block.timestamp < due) revert SunsetNotDue(due);

        sunset.due = 0;
        _heads[model] = head.withSunset();
        emit ModelSunset(model, finalSequence);
    }

    /// @inheritdoc IFirmwareSunsets
    function sunsetOf(
        bytes32 model
    ) external view returns (uint32 nonce, uint40 due, uint32 finalSequence, bytes32 stewards) {
        Sunset storage sunset = _sunsets[model];
        return (sunset.nonce, sunset.due, sunset.finalSequence, sunset.stewards);
    }

    /// @dev Those that a sunset named, in place of the manufacturer's.
    function _lastStewardsOf(bytes32 model) internal view returns (bytes32 keyset) {
        return _sunsets[model].stewards;
    }

    function _requireRoots(bytes32 model, Quorum calldata by, bytes32 structHash) private view {
        _requireQuorum(_keysetOf(_manufacturers[model], Role.Root), by, structHash);
    }
}
