// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev What is decided about one release, in one word; what it is stands in the word before it.
 *
 *  255   248 247          208 207       168 167       128 127             96 95        88 87          0
 * +---------+--------------+-------------+-------------+-----------------+-----------+-------------+
 * |  flags  | version, rev.|  heldUntil  |  notBefore  | securityCounter |   kind    |  dutyGuard  |
 * +---------+--------------+-------------+-------------+-----------------+-----------+-------------+
 *
 * Bits 247-232 are the version of the key set that signed it, 231-208 the revision: how often it was stopped or let go
 * on. It is held while the time is before `heldUntil`; {FIRM} is a hold that does not lapse. `dutyGuard` is the end of
 * one guard's address: reading it costs nothing where the word is written anyway. Flags: bit 0 published, bit 1 yanked,
 * bit 2 let go: what is left of its hold is the delay before it goes on; bits 3-7 the round: how often it was let go on.
 */
type ReleaseState is uint256;

using ReleaseStateLib for ReleaseState global;

/// @title Reading and changing packed {ReleaseState}
library ReleaseStateLib {
    /// @dev `heldUntil` of a hold that only the release signers end.
    uint40 internal constant FIRM = type(uint40).max;

    uint256 private constant PUBLISHED = uint256(1) << 248;
    uint256 private constant YANKED = uint256(1) << 249;
    uint256 private constant LET_GO = uint256(1) << 250;
    uint256 private constant ONE_ROUND = uint256(1) << 251;

    function create(
        uint88 guard,
        uint8 releaseKind,
        uint32 counter,
        uint40 earliest,
        uint16 version
    ) internal pure returns (ReleaseState) {
        return
            ReleaseState.wrap(
                PUBLISHED |
                    guard |
                    (uint256(releaseKind) << 88) |
                    (uint256(counter) << 96) |
                    (uint256(earliest) << 128) |
                    (uint256(version) << 232)
            );
    }

    function isPublished(ReleaseState state) internal pure returns (bool) {
        return ReleaseState.unwrap(state) != 0;
    }

    function isYanked(ReleaseState state) internal pure returns (bool) {
        return ReleaseState.unwrap(state) & YANKED != 0;
    }

    function isHeldAt(ReleaseState state, uint256 time) internal pure returns (bool) {
        return time < state.heldUntil();
    }

    /// @dev Whether the last that was said of its hold is that it ends.
    function isLetGo(ReleaseState state) internal pure returns (bool) {
        return ReleaseState.unwrap(state) & LET_GO != 0;
    }

    function dutyGuard(ReleaseState state) internal pure returns (uint88) {
        return uint88(ReleaseState.unwrap(state));
    }

    function kind(ReleaseState state) internal pure returns (uint8) {
        return uint8(ReleaseState.unwrap(state) >> 88);
    }

    function securityCounter(ReleaseState state) internal pure returns (uint32) {
        return uint32(ReleaseState.unwrap(state) >> 96);
    }

    function notBefore(ReleaseState state) internal pure returns (uint40) {
        return uint40(ReleaseState.unwrap(state) >> 128);
    }

    function heldUntil(ReleaseState state) internal pure returns (uint40) {
        return uint40(ReleaseState.unwrap(state) >> 168);
    }

    function revision(ReleaseState state) internal pure returns (uint24) {
        return uint24(ReleaseState.unwrap(state) >> 208);
    }

    function round(ReleaseState state) internal pure returns (uint8) {
        return uint8(ReleaseState.unwrap(state) >> 251);
    }

    function keysetVersion(ReleaseState state) internal pure returns (uint16) {
        return uint16(ReleaseState.unwrap(state) >> 232);
    }

    /// @dev Held until another time, one revision on. A release is never stopped 16 million times: each costs a signature.
    function withHeldUntil(ReleaseState state, uint40 time) internal pure returns (ReleaseState) {
        uint256 cleared =
            ReleaseState.unwrap(state.withNextRevision()) & ~((uint256(type(uint40).max) << 168) | LET_GO);
        return ReleaseState.wrap(cleared | (uint256(time) << 168));
    }

    /// @dev Held for the last time until then, one revision and one round on; a new hold takes the first back.
    function withLetGo(ReleaseState state, uint40 time) internal pure returns (ReleaseState) {
        unchecked {
            // The topmost bits: after round 31 comes 0, and nothing else changes.
            return ReleaseState.wrap((ReleaseState.unwrap(state.withHeldUntil(time)) | LET_GO) + ONE_ROUND);
        }
    }

    function withNextRevision(ReleaseState state) internal pure returns (ReleaseState) {
        uint256 cleared = ReleaseState.unwrap(state) & ~(uint256(type(uint24).max) << 208);
        unchecked {
            return ReleaseState.wrap(cleared | (uint256(state.revision() + 1) << 208));
        }
    }

    function withDutyGuard(ReleaseState state, uint88 guard) internal pure returns (ReleaseState) {
        return ReleaseState.wrap((ReleaseState.unwrap(state) & ~uint256(type(uint88).max)) | guard);
    }

    function withYanked(ReleaseState state) internal pure returns (ReleaseState) {
        return ReleaseState.wrap(ReleaseState.unwrap(state) | YANKED);
    }
}
