// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FirmwareSunsets} from "./FirmwareSunsets.sol";
import {IFirmwareBrakes} from "./interfaces/IFirmwareBrakes.sol";
import {MakerState} from "./libraries/MakerState.sol";
import {ModelHead} from "./libraries/ModelHead.sol";
import {ReleaseState, ReleaseStateLib} from "./libraries/ReleaseState.sol";
import {RiskClasses} from "./libraries/RiskClasses.sol";

/// @title What guards and stewards do: stop releases, and nothing else
abstract contract FirmwareBrakes is IFirmwareBrakes, FirmwareSunsets {
    uint256 private constant GUARD_HOLD = 14 days;

    bytes32 private constant HOLD_TYPEHASH = keccak256(
        "Hold(bytes32 model,uint32 sequence,uint32 reason,uint24 revision,uint256 deadline)"
    );
    bytes32 private constant HOLD_CONFIRMATION_TYPEHASH = keccak256(
        "HoldConfirmation(bytes32 model,uint32 sequence,uint24 revision,uint256 deadline)"
    );
    bytes32 private constant UNHOLD_TYPEHASH = keccak256(
        "Unhold(bytes32 model,uint32 sequence,uint32 reason,uint24 revision,uint256 deadline)"
    );
    bytes32 private constant YANK_TYPEHASH = keccak256(
        "Yank(bytes32 model,bytes32 imageSha256,uint32 reason,uint256 deadline)"
    );
    bytes32 private constant ROLLOUT_CUT_TYPEHASH = keccak256(
        "RolloutCut(bytes32 model,uint32 sequence,uint16 bps,uint24 revision,uint256 deadline)"
    );

    /// @inheritdoc IFirmwareBrakes
    function holdOnDuty(bytes32 model, uint32 sequence, uint32 reason) external {
        StoredRelease storage release = _releases[model][sequence];
        ReleaseState state = release.state;
        if (!state.isPublished()) revert ReleaseUnknown(model, sequence);
        if (state.dutyGuard() != uint88(uint160(msg.sender))) revert GuardNotOnDuty(msg.sender);
        _requireGoing(state);
        uint40 until = uint40(block.timestamp + GUARD_HOLD);
        release.state = state.withHeldUntil(until);
        emit ReleaseHeld(model, sequence, reason, until);
    }

    /// @inheritdoc IFirmwareBrakes
    function hold(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        ReleaseState state = _knownRelease(model, sequence);
        _requireGoing(state);
        bool isByStewards = _requireStoppers(
            model,
            by,
            keccak256(abi.encode(HOLD_TYPEHASH, model, sequence, reason, state.revision(), deadline))
        );
        // Of a manufacturer that is gone nobody is left to confirm it.
        uint40 until = isByStewards ? ReleaseStateLib.FIRM : uint40(block.timestamp + GUARD_HOLD);
        _hold(model, sequence, state, reason, until);
    }

    /// @inheritdoc IFirmwareBrakes
    function confirmHold(bytes32 model, uint32 sequence, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        ReleaseState state = _requireHeld(model, sequence);
        bytes32 structHash = keccak256(
            abi.encode(HOLD_CONFIRMATION_TYPEHASH, model, sequence, state.revision(), deadline)
        );
        bytes32 manufacturer = _manufacturers[model];
        bytes32 keyset = _keysetOf(manufacturer, Role.Release);
        if (_digestOf(by) != keyset) keyset = _stewardsOf(model, manufacturer);
        _requireQuorum(keyset, by, structHash);
        _hold(model, sequence, state, 0, ReleaseStateLib.FIRM);
    }

    /// @inheritdoc IFirmwareBrakes
    function unhold(
        bytes32 model,
        uint32 sequence,
        uint32 reason,
        uint256 deadline,
        Quorum calldata by
    ) external whenNotPaused {
        _requireInTime(deadline);
        ModelHead head = _knownHead(model);
        ReleaseState state = _requireHeld(model, sequence);
        MakerState maker = _requireReleasers(
            model,
            by,
            keccak256(abi.encode(UNHOLD_TYPEHASH, model, sequence, reason, state.revision(), deadline))
        );

        uint40 until = uint40(block.timestamp) + RiskClasses.delay(head.riskClass(), state.kind());
        // From now on the guard who is on duty today holds it, and not one whose key was replaced.
        _releases[model][sequence].state = state.withLetGo(until).withDutyGuard(maker.dutyGuard());
        emit ReleaseUnheld(model, sequence, reason, until);
        uint16 bps = RiskClasses.firstStageBps(head.riskClass());
        if (sequence == head.active() && bps < 10_000) {
            head = _withdraw(model, head, sequence);
            _heads[model] = head.staged() == 0 ? _offer(model, head, sequence, bps) : head;
        }
    }

    /// @inheritdoc IFirmwareBrakes
    function yank(
        bytes32 model,
        bytes32 imageSha256,
        uint32 reason,
        uint256 deadline,
        Quorum calldata by,
        Number[] calldata numbers
    ) external {
        _requireInTime(deadline);
        _knownHead(model);
        if (numbers.length == 0) revert NumberMissing();
        _requireStoppers(model, by, keccak256(abi.encode(YANK_TYPEHASH, model, imageSha256, reason, deadline)));

        uint32 known = _yankedImages[model][imageSha256];
        if (known == 0) {
            _yankedImages[model][imageSha256] = numbers[0].sequence;
            emit ImageYanked(model, imageSha256, reason);
        }
        // Who saw the signature and sent it first with fewer numbers must not keep the others from being yanked. What was
        // not yanked before spreads to one number at least.
        if (!_spread(model, imageSha256, numbers)) revert ReleaseImageYanked(known);
    }

    /// @inheritdoc IFirmwareBrakes
    function spreadYank(bytes32 model, bytes32 imageSha256, Number[] calldata numbers) external {
        if (_yankedImages[model][imageSha256] == 0) revert ImageNotYanked(imageSha256);
        _spread(model, imageSha256, numbers);
    }

    /// @inheritdoc IFirmwareBrakes
    function cutRollout(bytes32 model, uint32 sequence, uint16 bps, uint256 deadline, Quorum calldata by) external {
        _requireInTime(deadline);
        ModelHead head = _knownHead(model);
        ReleaseState state = _knownRelease(model, sequence);
        Status status = _statusOf(head, sequence, state);
        if (sequence != head.staged()) revert ReleaseStatusUnfit(status);
        if (bps >= head.rolloutBps()) revert RolloutNotLower(head.rolloutBps(), bps);
        _requireStoppers(
            model,
            by,
            keccak256(abi.encode(ROLLOUT_CUT_TYPEHASH, model, sequence, bps, state.revision(), deadline))
        );

        _releases[model][sequence].state = state.withNextRevision();
        _heads[model] = _offer(model, head, sequence, bps);
    }

    /// @dev Writes a hold; also for the breaker.
    function _hold(bytes32 model, uint32 sequence, ReleaseState state, uint32 reason, uint40 until) internal {
        _releases[model][sequence].state = state.withHeldUntil(until);
        emit ReleaseHeld(model, sequence, reason, until);
    }

    /// @dev Reverts unless there is something to stop: what was let go can be stopped again before it goes on.
    function _requireGoing(ReleaseState state) internal view {
        if (state.isYanked()) revert ReleaseStatusUnfit(Status.Yanked);
        if (state.isHeldAt(block.timestamp) && !state.isLetGo()) revert ReleaseStatusUnfit(Status.Held);
    }

    /// @dev Reverts unless one guard signed, or enough stewards of a manufacturer that is gone.
    function _requireStoppers(bytes32 model, Quorum calldata by, bytes32 structHash) internal view returns (bool) {
        bytes32 manufacturer = _manufacturers[model];
        bytes32 keyset = _keysetOf(manufacturer, Role.Guard);
        bool isByGuard = _digestOf(by) == keyset;
        if (!isByGuard) keyset = _stewardsOf(model, manufacturer);
        _requireQuorum(keyset, by, structHash);
        return !isByGuard;
    }

    function _requireHeld(bytes32 model, uint32 sequence) private view returns (ReleaseState state) {
        state = _knownRelease(model, sequence);
        if (state.isYanked() || !state.isHeldAt(block.timestamp))
            revert ReleaseStatusUnfit(_statusOf(_heads[model], sequence, state));
    }

    /// @dev Reverts while the manufacturer is there.
    function _stewardsOf(bytes32 model, bytes32 manufacturer) private view returns (bytes32 keyset) {
        ModelHead head = _heads[model];
        if (head.isSunset()) return _lastStewardsOf(model);
        MakerState maker = _knownMaker(manufacturer);
        uint40 seenAt = maker.heartbeatAt() > head.publishedAt() ? maker.heartbeatAt() : head.publishedAt();
        uint256 until = seenAt + uint256(maker.silenceDays()) * 1 days;
        if (block.timestamp <= until) revert StewardsNotNeeded(until);
        return _keysetOf(manufacturer, Role.Steward);
    }

    /// @dev Whether a number was not yanked before.
    function _spread(bytes32 model, bytes32 imageSha256, Number[] calldata numbers) private returns (bool isNew) {
        ModelHead head = _heads[model];
        for (uint256 i = 0; i < numbers.length; ++i) {
            uint32 sequence = numbers[i].sequence;
            ReleaseState state = _knownRelease(model, sequence);
            _requireContents(model, sequence, numbers[i].manifestDigest, imageSha256);
            if (state.isYanked()) continue;
            _releases[model][sequence].state = state.withYanked();
            emit ReleaseYanked(model, sequence);
            isNew = true;
            head = _withdraw(model, head, sequence);
        }
        _heads[model] = head;
    }
}
