// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev The newest three emergencies and how many wait for their review, in one word:
 *
 *  127    120 119        80 79          40 39          0
 * +----------+-------------+--------------+-------------+
 * |  waiting |   oldest    |    middle    |   newest    |
 * +----------+-------------+--------------+-------------+
 *
 * Times are seconds since 1970; 0 stands for none.
 */
type EmergencyRate is uint128;

using EmergencyRateLib for EmergencyRate global;

/// @title How often an emergency may be declared
library EmergencyRateLib {
    /// @dev At most three begin within this span, wherever it lies.
    uint256 internal constant SPAN = 30 days;

    /// @dev While this many wait for their review, no further one begins.
    uint8 internal constant MAX_WAITING = 3;

    uint128 private constant TIMES = type(uint120).max;

    function waiting(EmergencyRate rate) internal pure returns (uint8) {
        return uint8(EmergencyRate.unwrap(rate) >> 120);
    }

    /// @dev Whether another emergency may begin now.
    function isFree(EmergencyRate rate, uint256 time) internal pure returns (bool) {
        uint256 oldest = uint40(EmergencyRate.unwrap(rate) >> 80);
        return rate.waiting() < MAX_WAITING && (oldest == 0 || time >= oldest + SPAN);
    }

    /// @dev The same after an emergency that began now. Only where {isFree}.
    function begun(EmergencyRate rate, uint40 time) internal pure returns (EmergencyRate) {
        uint128 times = ((EmergencyRate.unwrap(rate) << 40) & TIMES) | time;
        return EmergencyRate.wrap(times | (uint128(rate.waiting() + 1) << 120));
    }

    /// @dev The same after one of them was reviewed.
    function reviewed(EmergencyRate rate) internal pure returns (EmergencyRate) {
        return EmergencyRate.wrap((EmergencyRate.unwrap(rate) & TIMES) | (uint128(rate.waiting() - 1) << 120));
    }
}
