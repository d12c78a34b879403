// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev What every request about a manufacturer asks first, in one word:
 *
 *  255    248 247       232 231         200 199        160 159        120 119      88 87          0
 * +----------+-------------+---------------+--------------+--------------+-----------+-------------+
 * |  roots   | silenceDays | rotationNonce | rotationDue  | heartbeatAt  |  version  |  dutyGuard  |
 * +----------+-------------+---------------+--------------+--------------+-----------+-------------+
 *
 * `roots` is the threshold of the root keys; it is never 0, so that 0 is a manufacturer nobody registered. `dutyGuard`
 * is the end of the first guard's id. `rotationDue` is 0 while no rotation is under way. Times are seconds since 1970.
 */
type MakerState is uint256;

using MakerStateLib for MakerState global;

/// @title Reading and changing packed {MakerState}
library MakerStateLib {
    function isRegistered(MakerState state) internal pure returns (bool) {
        return MakerState.unwrap(state) != 0;
    }

    function dutyGuard(MakerState state) internal pure returns (uint88) {
        return uint88(MakerState.unwrap(state));
    }

    function version(MakerState state) internal pure returns (uint32) {
        return uint32(MakerState.unwrap(state) >> 88);
    }

    function heartbeatAt(MakerState state) internal pure returns (uint40) {
        return uint40(MakerState.unwrap(state) >> 120);
    }

    function rotationDue(MakerState state) internal pure returns (uint40) {
        return uint40(MakerState.unwrap(state) >> 160);
    }

    function rotationNonce(MakerState state) internal pure returns (uint32) {
        return uint32(MakerState.unwrap(state) >> 200);
    }

    function silenceDays(MakerState state) internal pure returns (uint16) {
        return uint16(MakerState.unwrap(state) >> 232);
    }

    function roots(MakerState state) internal pure returns (uint8) {
        return uint8(MakerState.unwrap(state) >> 248);
    }

    /// @dev What new key sets bring with them: who is on duty, how many root keys it takes, how long silence may last.
    function withKeysets(
        MakerState state,
        uint88 guard,
        uint8 rootThreshold,
        uint16 daysOfSilence
    ) internal pure returns (MakerState) {
        uint256 kept = MakerState.unwrap(state) & ~(uint256(type(uint88).max) | (uint256(type(uint24).max) << 232));
        return MakerState.wrap(kept | guard | (uint256(daysOfSilence) << 232) | (uint256(rootThreshold) << 248));
    }

    function withVersion(MakerState state, uint32 value) internal pure returns (MakerState) {
        return _with(state, 88, type(uint32).max, value);
    }

    function withHeartbeat(MakerState state, uint256 time) internal pure returns (MakerState) {
        return _with(state, 120, type(uint40).max, time);
    }

    /// @dev A rotation that comes in force at `due`, or none if that is 0; every change takes up a nonce.
    function withRotation(MakerState state, uint256 due) internal pure returns (MakerState) {
        return
            _with(_with(state, 160, type(uint40).max, due), 200, type(uint32).max, uint256(state.rotationNonce()) + 1);
    }

    /// @dev Cuts `value` to the field's width: times fit 40 bits for 34,000 years, nonces are counted by paid requests.
    function _with(MakerState state, uint256 shift, uint256 mask, uint256 value) private pure returns (MakerState) {
        return MakerState.wrap((MakerState.unwrap(state) & ~(mask << shift)) | ((value & mask) << shift));
    }
}
