// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev An attestor's right, its place in its own sequence and the chain of its reports, in the word that a report
 * overwrites:
 *
 *  255     248 247   240 239    208 207                      0
 * +-----------+---------+----------+--------------------------+
 * |  standing |    0    |  epoch   |           head           |
 * +-----------+---------+----------+--------------------------+
 *
 * `standing` is 0 for a stranger, 1 for one who may anchor, 2 for one who may no longer, for ever.
 */
type AttestorState is uint256;

using AttestorStateLib for AttestorState global;

/// @title Reading and changing packed {AttestorState}
library AttestorStateLib {
    uint256 private constant ALLOWED = uint256(1) << 248;
    uint256 private constant REMOVED = uint256(2) << 248;

    function allowed() internal pure returns (AttestorState) {
        return AttestorState.wrap(ALLOWED);
    }

    function isStranger(AttestorState state) internal pure returns (bool) {
        return AttestorState.unwrap(state) == 0;
    }

    function isAllowed(AttestorState state) internal pure returns (bool) {
        return AttestorState.unwrap(state) >> 248 == 1;
    }

    function epoch(AttestorState state) internal pure returns (uint32) {
        return uint32(AttestorState.unwrap(state) >> 208);
    }

    function head(AttestorState state) internal pure returns (uint208) {
        return uint208(AttestorState.unwrap(state));
    }

    /// @dev After one more report.
    function withReport(AttestorState state, uint32 newest, bytes32 root) internal pure returns (AttestorState) {
        uint208 next = uint208(uint256(keccak256(abi.encode(state.head(), newest, root))));
        return AttestorState.wrap(ALLOWED | (uint256(newest) << 208) | next);
    }

    /// @dev Keeps epoch and head: what was anchored stays provable.
    function withRemoval(AttestorState state) internal pure returns (AttestorState) {
        return AttestorState.wrap((AttestorState.unwrap(state) & ~ALLOWED) | REMOVED);
    }
}
