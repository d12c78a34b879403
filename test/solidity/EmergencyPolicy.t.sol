// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EmergencyPolicy, EmergencyPolicyLib} from "../../contracts/libraries/EmergencyPolicy.sol";
import {Test} from "./Vm.sol";

contract EmergencyPolicyTest is Test {
    function testFuzz_everyFieldComesBack(
        bool isAllowed,
        uint8 responders,
        uint32 roles,
        uint32 maxDuration,
        uint32 coolDown
    ) public pure {
        EmergencyPolicy policy = _pack(isAllowed, responders, roles, maxDuration, coolDown);
        _require(policy.isAllowed() == isAllowed, "isAllowed");
        _equal(policy.responders(), responders, "responders");
        _equal(policy.roles(), roles, "roles");
        _equal(policy.maxDuration(), maxDuration, "maxDuration");
        _equal(policy.coolDown(), coolDown, "coolDown");
    }

    function testFuzz_soundIsWithinTheBounds(
        uint8 first,
        uint8 responders,
        uint32 roles,
        uint32 maxDuration,
        uint32 coolDown
    ) public pure {
        EmergencyPolicy policy = EmergencyPolicy.wrap(
            uint112(bytes14(abi.encodePacked(first, responders, roles, maxDuration, coolDown)))
        );
        bool expected =
            first == 1 &&
                (responders == 1 || responders == 2) &&
                roles != 0 &&
                roles % 2 == 0 &&
                maxDuration > 0 &&
                maxDuration <= 24 hours &&
                coolDown <= 30 days;
        if (first == 0) expected = responders == 0 && roles == 0 && maxDuration == 0 && coolDown == 0;
        _require(policy.isSound() == expected, "sound");
    }

    function testFuzz_soundWhereEveryFieldIs(
        uint8 responders,
        uint32 roles,
        uint32 maxDuration,
        uint32 coolDown
    ) public pure {
        EmergencyPolicy policy = _sound(responders, roles, maxDuration, coolDown);
        _require(policy.isSound(), "sound");
        _require(EmergencyPolicy.wrap(0).isSound(), "no");
        _require(EmergencyPolicyLib.standard().isSound(), "standard");
    }

    /// @dev What one policy lets through and the other does not makes the one looser.
    function testFuzz_looserIfAndOnlyIfItLetsMoreThrough(
        uint8[2] memory responders,
        uint32[2] memory roles,
        uint32[2] memory maxDuration,
        uint32[2] memory coolDown
    ) public pure {
        EmergencyPolicy a = _sound(responders[0], roles[0], maxDuration[0], coolDown[0]);
        EmergencyPolicy b = _sound(responders[1], roles[1], maxDuration[1], coolDown[1]);
        bool isNoLooser =
            a.responders() >= b.responders() &&
                a.roles() | b.roles() == b.roles() &&
                a.maxDuration() <= b.maxDuration() &&
                a.coolDown() >= b.coolDown();
        _require(a.isLooserThan(b) == !isNoLooser, "looser");
        _require(!a.isLooserThan(a), "than itself");
        _require(a.isLooserThan(EmergencyPolicy.wrap(0)), "than no");
        _require(!EmergencyPolicy.wrap(0).isLooserThan(a), "no");
    }

    function test_boundsAreExact() public pure {
        _require(_pack(true, 1, 2, 1, 0).isSound(), "the least");
        _require(_pack(true, 2, ~uint32(1), 24 hours, 30 days).isSound(), "the most");
        _require(!_pack(true, 0, 2, 1, 0).isSound(), "nobody signs");
        _require(!_pack(true, 3, 2, 1, 0).isSound(), "three sign");
        _require(!_pack(true, 1, 0, 1, 0).isSound(), "no role");
        _require(!_pack(true, 1, 1, 1, 0).isSound(), "role 0 alone");
        _require(!_pack(true, 1, 3, 1, 0).isSound(), "role 0 and another");
        _require(!_pack(true, 1, 2, 0, 0).isSound(), "no time");
        _require(!_pack(true, 1, 2, 24 hours + 1, 0).isSound(), "more than a day");
        _require(!_pack(true, 1, 2, 1, 30 days + 1).isSound(), "more than a month between two");
        _require(!_pack(false, 0, 0, 0, 1).isSound(), "a no with more to it");
    }

    function test_whoeverSaidNothingAllowsOneOfThreeRolesForFourHours() public pure {
        uint256 expected = EmergencyPolicy.unwrap(_pack(true, 1, (1 << 1) | (1 << 2) | (1 << 3), 4 hours, 0));
        _equal(EmergencyPolicy.unwrap(EmergencyPolicyLib.standard()), expected, "standard");
    }

    function testFuzz_oneFieldALittleLooserIsEnough(
        uint32 roles,
        uint8 bit,
        uint32 maxDuration,
        uint32 coolDown
    ) public pure {
        uint32 role = uint32(1) << uint32(_bound(bit, 1, 31));
        roles = (roles | 2 | 4) & ~uint32(1) & ~role;
        maxDuration = uint32(_bound(maxDuration, 1, 24 hours - 1));
        coolDown = uint32(_bound(coolDown, 1, 30 days));
        EmergencyPolicy strict = _pack(true, 2, roles, maxDuration, coolDown);
        EmergencyPolicy[4] memory looser = [
            _pack(true, 1, roles, maxDuration, coolDown),
            _pack(true, 2, roles | role, maxDuration, coolDown),
            _pack(true, 2, roles, maxDuration + 1, coolDown),
            _pack(true, 2, roles, maxDuration, coolDown - 1)
        ];
        for (uint256 i = 0; i < looser.length; ++i) {
            _require(looser[i].isLooserThan(strict), "looser");
            _require(!strict.isLooserThan(looser[i]), "stricter");
        }
    }

    function _sound(
        uint8 responders,
        uint32 roles,
        uint32 maxDuration,
        uint32 coolDown
    ) private pure returns (EmergencyPolicy) {
        return
            _pack(
                true,
                uint8(_bound(responders, 1, 2)),
                uint32(_bound(roles, 1, type(uint32).max / 2)) * 2,
                uint32(_bound(maxDuration, 1, 24 hours)),
                uint32(_bound(coolDown, 0, 30 days))
            );
    }

    function _pack(
        bool isAllowed,
        uint8 responders,
        uint32 roles,
        uint32 maxDuration,
        uint32 coolDown
    ) private pure returns (EmergencyPolicy) {
        return
            EmergencyPolicy.wrap(
                uint112(bytes14(abi.encodePacked(isAllowed, responders, roles, maxDuration, coolDown)))
            );
    }
}
