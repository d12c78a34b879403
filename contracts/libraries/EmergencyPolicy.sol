// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRoles} from "./CredentialRoles.sol";

/**
 * @dev What a patient allows in an emergency, in 112 bits:
 *
 *  111      104 103      96 95        64 63           32 31           0
 * +------------+-----------+------------+---------------+--------------+
 * | isAllowed  | responders|   roles    |  maxDuration  |   coolDown   |
 * +------------+-----------+------------+---------------+--------------+
 *
 * Durations are seconds; `roles` has a bit for each role, see {CredentialRoles}.
 */
type EmergencyPolicy is uint112;

using EmergencyPolicyLib for EmergencyPolicy global;

/// @title Reading and comparing packed {EmergencyPolicy}
library EmergencyPolicyLib {
    /// @dev No emergency is longer, whatever anybody allows.
    uint32 internal constant MAX_DURATION = 24 hours;

    /// @dev Any one emergency begins the cool-down, and nobody is helped in it: longer is not to allow emergencies.
    uint32 internal constant MAX_COOL_DOWN = 30 days;

    /// @dev What holds for a patient who has said nothing: one physician, nurse or paramedic, for four hours. Help must not
    /// fail because a form was not filled in; whoever wants it stricter, or not at all, says so.
    function standard() internal pure returns (EmergencyPolicy) {
        uint32 roles_ = uint32(
            (1 << CredentialRoles.PHYSICIAN) | (1 << CredentialRoles.NURSE) | (1 << CredentialRoles.PARAMEDIC)
        );
        return
            EmergencyPolicy.wrap(
                (uint112(1) << 104) | (uint112(1) << 96) | (uint112(roles_) << 64) | (uint112(4 hours) << 32)
            );
    }

    function isAllowed(EmergencyPolicy policy) internal pure returns (bool) {
        return EmergencyPolicy.unwrap(policy) >> 104 == 1;
    }

    /// @dev How many must sign, 1 or 2.
    function responders(EmergencyPolicy policy) internal pure returns (uint8) {
        return uint8(EmergencyPolicy.unwrap(policy) >> 96);
    }

    function roles(EmergencyPolicy policy) internal pure returns (uint32) {
        return uint32(EmergencyPolicy.unwrap(policy) >> 64);
    }

    function maxDuration(EmergencyPolicy policy) internal pure returns (uint32) {
        return uint32(EmergencyPolicy.unwrap(policy) >> 32);
    }

    /// @dev Least time from the beginning of one emergency to the beginning of the next.
    function coolDown(EmergencyPolicy policy) internal pure returns (uint32) {
        return uint32(EmergencyPolicy.unwrap(policy));
    }

    /// @dev Whether a patient can mean it: what allows nothing in the end must say so, and is all zero.
    function isSound(EmergencyPolicy policy) internal pure returns (bool) {
        if (!policy.isAllowed()) return EmergencyPolicy.unwrap(policy) == 0;
        bool isCounted = policy.responders() == 1 || policy.responders() == 2;
        // Role 0 does not exist.
        bool isForSomebody = policy.roles() > 1 && policy.roles() & 1 == 0;
        bool isInBounds = policy.maxDuration() <= MAX_DURATION && policy.coolDown() <= MAX_COOL_DOWN;
        return isCounted && isForSomebody && policy.maxDuration() != 0 && isInBounds;
    }

    /// @dev Whether anything is allowed that `other` does not allow. Both are sound.
    function isLooserThan(EmergencyPolicy policy, EmergencyPolicy other) internal pure returns (bool) {
        if (!policy.isAllowed()) return false;
        return
            !other.isAllowed() ||
            policy.responders() < other.responders() ||
            policy.roles() & ~other.roles() != 0 ||
            policy.maxDuration() > other.maxDuration() ||
            policy.coolDown() < other.coolDown();
    }
}
