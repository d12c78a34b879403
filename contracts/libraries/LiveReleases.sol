// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/**
 * @title The live releases of one model, a bit each
 * @dev Finding the newest live one below another reads one slot per 256 releases, so withdrawing many in a row never
 * makes the next step too dear for a block.
 */
library LiveReleases {
    struct Set {
        mapping(uint256 word => uint256) words;
    }

    /// @dev Adds a release. O(1).
    function add(Set storage set, uint32 sequence) internal {
        set.words[sequence >> 8] |= uint256(1) << (sequence & 0xff);
    }

    /// @dev Removes a release. O(1).
    function remove(Set storage set, uint32 sequence) internal {
        set.words[sequence >> 8] &= ~(uint256(1) << (sequence & 0xff));
    }

    /// @dev The newest live release from `atLeast` to `atMost`, both included; 0 if there is none.
    function newest(Set storage set, uint32 atLeast, uint32 atMost) internal view returns (uint32) {
        uint256 word = uint256(atMost) >> 8;
        // Bits above `atMost` do not count in the first word.
        uint256 live = set.words[word] & (type(uint256).max >> (255 - (atMost & 0xff)));
        while (live == 0 && word > atLeast >> 8) live = set.words[--word];
        if (live == 0) return 0;
        uint256 found = (word << 8) | Math.log2(live);
        return found < atLeast ? 0 : uint32(found);
    }
}
