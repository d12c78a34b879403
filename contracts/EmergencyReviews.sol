// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RateLimiter} from "@openzeppelin/contracts/utils/RateLimiter.sol";
import {Governed} from "./Governed.sol";
import {IEmergencyAccess} from "./interfaces/IEmergencyAccess.sol";
import {EmergencyPolicyLib} from "./libraries/EmergencyPolicy.sol";
import {ReviewQueue} from "./libraries/ReviewQueue.sol";

/// @title How often emergencies may be declared, and what becomes of those who do
/// @dev Bounds are bounded, too: governance can make emergencies rarer, but cannot do away with them.
abstract contract EmergencyReviews is IEmergencyAccess, Governed {
    using RateLimiter for RateLimiter.RefillingBucket;
    using ReviewQueue for ReviewQueue.Queue;

    struct ResponderEntry {
        ReviewQueue.Queue queue;
        uint40 blockedUntil;
    }

    Limits private _limits;
    RateLimiter.RefillingBucket private _byResponder;
    RateLimiter.RefillingBucket private _byPatient;
    RateLimiter.RefillingBucket private _byPair;
    mapping(address responder => ResponderEntry) private _responders;

    constructor() {
        _setLimits(
            Limits({
                perResponder: 12,
                perPatient: 6,
                window: 1 days,
                reviewWithin: 3 days,
                maxOverdue: 3,
                blockFor: 30 days
            })
        );
    }

    /// @inheritdoc IEmergencyAccess
    function setLimits(Limits calldata newLimits) external restricted {
        if (
            !_isIn(newLimits.perResponder, 2, 1000) ||
            !_isIn(newLimits.perPatient, 2, 1000) ||
            !_isIn(newLimits.window, 1 hours, 1 days) ||
            !_isIn(newLimits.reviewWithin, EmergencyPolicyLib.MAX_DURATION, 30 days) ||
            !_isIn(newLimits.maxOverdue, 1, 8) ||
            !_isIn(newLimits.blockFor, 0, 365 days)
        ) revert LimitsOutOfRange();

        _setLimits(newLimits);
    }

    /// @inheritdoc IEmergencyAccess
    function liftBlock(address responder, bytes32 reason) external restricted {
        if (reason == 0) revert EmergencyReasonMissing();
        if (msg.sender == responder) revert ReviewerNotIndependent(0);
        ResponderEntry storage entry = _responders[responder];
        if (block.timestamp >= entry.blockedUntil) revert EmergencyResponderNotBlocked(responder);

        entry.blockedUntil = uint40(block.timestamp);
        emit ResponderBlockLifted(responder, reason, msg.sender);
    }

    /// @inheritdoc IEmergencyAccess
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc IEmergencyAccess
    function responderOf(
        address responder
    ) external view returns (uint40 blockedUntil, uint32 unreviewed, bool isOverdue) {
        ResponderEntry storage entry = _responders[responder];
        return (entry.blockedUntil, entry.queue.length, _isOverdue(entry));
    }

    /// @dev Counts an emergency of the patient; reverts if there were too many.
    function _countPatient(bytes32 patient) internal {
        if (!_tryUse(_byPatient, patient)) revert EmergencyPatientTooOften(patient);
    }

    /// @dev Counts an emergency of the responder and puts it where it awaits review; reverts if the responder may not. Of
    /// what a patient has, one responder has half: nobody keeps all others away.
    function _countResponder(address responder, bytes32 patient) internal returns (uint32 ticket) {
        ResponderEntry storage entry = _responders[responder];
        if (block.timestamp < entry.blockedUntil) revert EmergencyResponderBlocked(responder, entry.blockedUntil);
        if (_isOverdue(entry)) revert EmergencyReviewsOverdue(responder);
        if (
            !_tryUse(_byResponder, bytes32(uint256(uint160(responder)))) ||
            !_tryUse(_byPair, keccak256(abi.encode(responder, patient)))
        ) revert EmergencyResponderTooOften(responder);

        ticket = entry.queue.add(uint40(block.timestamp));
    }

    /// @dev Takes an emergency out of those that await review, and blocks the responder if it was unjustified.
    function _settle(address responder, uint32 ticket, Outcome outcome) internal {
        ResponderEntry storage entry = _responders[responder];
        entry.queue.remove(ticket);
        if (outcome != Outcome.Unjustified) return;
        uint40 until = uint40(block.timestamp + _limits.blockFor);
        if (until <= entry.blockedUntil) return;
        entry.blockedUntil = until;
        emit ResponderBlocked(responder, until);
    }

    /// @dev Takes one. What was used under a higher bound counts as the present one: after a window of rest all is free.
    function _tryUse(RateLimiter.RefillingBucket storage bucket, bytes32 key) private returns (bool) {
        if (bucket._items[key]._lastUsed > bucket._capacity) bucket._items[key]._lastUsed = bucket._capacity;
        return bucket.tryConsume(key, 1);
    }

    function _isOverdue(ResponderEntry storage entry) private view returns (bool) {
        return entry.queue.hasWaiting(_limits.maxOverdue, block.timestamp - _limits.reviewWithin);
    }

    function _setLimits(Limits memory newLimits) private {
        _limits = newLimits;
        _byResponder.updateSettings(newLimits.window, newLimits.perResponder);
        _byPatient.updateSettings(newLimits.window, newLimits.perPatient);
        _byPair.updateSettings(newLimits.window, newLimits.perPatient / 2);
        emit LimitsChanged(newLimits);
    }

    function _isIn(uint256 value, uint256 least, uint256 most) private pure returns (bool) {
        return value >= least && value <= most;
    }
}
