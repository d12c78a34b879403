// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EmergencyRate} from "../../contracts/libraries/EmergencyRate.sol";
import {Test} from "./Vm.sol";

contract EmergencyRateTest is Test {
    uint40[] private _begun;

    function testFuzz_neverFourWithin30Days(uint24[32] memory pauses) public {
        EmergencyRate rate;
        uint40 time = 1_800_000_000;
        for (uint256 i = 0; i < pauses.length; ++i) {
            // Up to 194 days of pause would hardly ever meet; up to 23 days often does.
            time += pauses[i] >> 3;
            bool expected = true;
            if (_begun.length >= 3) expected = time >= uint256(_begun[_begun.length - 3]) + 30 days;
            _require(rate.isFree(time) == expected, "free");
            if (!expected) continue;
            rate = rate.begun(time).reviewed();
            _begun.push(time);
            _equal(rate.waiting(), 0, "waiting");
        }
    }

    function testFuzz_threeUnreviewedAreTheMost(uint40 start) public pure {
        uint40 time = uint40(_bound(start, 1, type(uint40).max - 366 days));
        EmergencyRate rate;
        for (uint8 i = 1; i <= 3; ++i) {
            rate = rate.begun(time);
            _equal(rate.waiting(), i, "waiting");
            time += 100 days;
        }
        _require(!rate.isFree(time), "three wait");
        _require(rate.reviewed().isFree(time), "one was reviewed");
        _equal(rate.reviewed().waiting(), 2, "two wait");
    }
}
