// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev The newest super-root of an aggregator in one word, which every super-root overwrites:
 *
 *  255                                               40 39             0
 * +----------------------------------------------------+----------------+
 * |                        head                        |     epoch      |
 * +----------------------------------------------------+----------------+
 *
 * `head` is the first 216 bits of `keccak256(abi.encode(previous word, epoch, count, root))`. 0 is an aggregator
 * without super-roots.
 */
type SuperHead is uint256;

using SuperHeadLib for SuperHead global;

/// @title Reading and continuing a packed {SuperHead}
library SuperHeadLib {
    uint256 private constant EPOCH_BITS = 40;

    /// @dev The word after another super-root; whether it may follow is for the contract to say.
    function next(SuperHead previous, uint40 epoch_, uint32 count, bytes32 root) internal pure returns (SuperHead) {
        uint256 hash = uint256(keccak256(abi.encode(previous, epoch_, count, root)));
        return SuperHead.wrap(((hash >> EPOCH_BITS) << EPOCH_BITS) | epoch_);
    }

    /// @dev Number of the newest super-root.
    function epoch(SuperHead head) internal pure returns (uint40) {
        return uint40(SuperHead.unwrap(head));
    }
}
