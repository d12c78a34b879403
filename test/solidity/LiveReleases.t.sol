// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LiveReleases} from "../../contracts/libraries/LiveReleases.sol";
import {Test} from "./Vm.sol";

contract LiveReleasesTest is Test {
    using LiveReleases for LiveReleases.Set;

    LiveReleases.Set private _set;

    function testFuzz_newestIsTheLargestInRange(
        uint16[16] memory added,
        uint16[8] memory removed,
        uint16 a,
        uint16 b
    ) public {
        // Small numbers, so that ranges hold some and words are shared; up to 1024, so that there are four words.
        for (uint256 i = 0; i < added.length; ++i) _set.add(uint32(_bound(added[i], 1, 1024)));
        for (uint256 i = 0; i < removed.length; ++i) _set.remove(uint32(_bound(removed[i], 1, 1024)));
        uint32 atLeast = uint32(_bound(a, 1, 1024));
        uint32 atMost = uint32(_bound(b, atLeast, 1024));

        uint32 expected = 0;
        for (uint256 i = 0; i < added.length; ++i) {
            uint32 one = uint32(_bound(added[i], 1, 1024));
            bool isRemoved = false;
            for (uint256 j = 0; j < removed.length; ++j)
                isRemoved = isRemoved || uint32(_bound(removed[j], 1, 1024)) == one;
            if (!isRemoved && one >= atLeast && one <= atMost && one > expected) expected = one;
        }
        _equal(_set.newest(atLeast, atMost), expected, "newest");
    }

    function test_findsTheFirstOfAWordFromItsLast() public {
        _set.add(256);
        _equal(_set.newest(1, 511), 256, "first of the word");
    }

    function test_emptySetHasNoNewest() public view {
        _equal(_set.newest(1, 1), 0, "first");
        _equal(_set.newest(1, 600), 0, "several words");
        _equal(_set.newest(1, type(uint8).max), 0, "end of a word");
    }
}
