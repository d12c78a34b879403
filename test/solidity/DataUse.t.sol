// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataUse, Purpose} from "../../contracts/libraries/DataUse.sol";
import {Test} from "./Vm.sol";

contract DataUseTest is Test {
    uint32 private constant NRI = 1 << 22;

    /// @dev Limits, duties and house terms: bits 5 to 23.
    uint32 private constant RESTRICTIONS = 0xffffe0;

    /// @dev Kinds, duties, house terms and flags of a purpose.
    uint32 private constant PURPOSE_TERMS = 0x3cfffc1e;

    function testFuzz_aFurtherRestrictionNeverAllowsMore(
        uint8 permission,
        uint32 use,
        uint32 purpose,
        uint8 bit
    ) public pure {
        use = _use(permission, use);
        purpose = _purpose(permission, purpose);
        uint32 stricter = use | (uint32(1 << _bound(bit, 5, 23)) & RESTRICTIONS);
        if (!_allows(use, purpose)) _require(!_allows(stricter, purpose), "stricter terms allow more");
    }

    function testFuzz_askingForMoreIsNeverAllowedSooner(
        uint8 kind,
        uint32 use,
        uint32 purpose,
        uint8 flag
    ) public pure {
        use = _use(kind, use);
        purpose = _purpose(kind, purpose);
        uint32 bolder = purpose | uint32(1 << _bound(flag, 26, 29));
        if (!_allows(use, purpose)) _require(!_allows(use, bolder), "a bolder purpose is allowed");
    }

    function testFuzz_undertakingMoreIsNeverRefused(uint8 kind, uint32 use, uint32 purpose, uint8 duty) public pure {
        use = _use(kind, use);
        purpose = _purpose(kind, purpose);
        if (_allows(use, purpose)) _require(_allows(use, purpose | uint32(1 << _bound(duty, 10, 23))), "duty");
    }

    function testFuzz_isWhatTheRulesSayOneByOne(uint8 kind, uint32 use, uint32 purpose) public pure {
        use = _use(kind, use);
        purpose = _purpose(kind >> 4, purpose);
        _require(_allows(use, purpose) == _model(use, purpose), "another answer than the rules");
    }

    function testFuzz_unknownTermsAreRefused(uint32 use, uint32 purpose) public pure {
        if (use >> 26 != 0 || use & NRI == 0) _require(!_allows(use, purpose), "use");
        if (purpose & ~PURPOSE_TERMS != 0 || purpose & NRI == 0) _require(!_allows(use, purpose), "purpose");
    }

    /// @dev The rules once more, term by term, sharing no line with the contract.
    function _model(uint32 use, uint32 purpose) private pure returns (bool) {
        if (!_has(use, 22)) return false;
        for (uint8 duty = 10; duty < 24; ++duty) if (_has(use, duty) && !_has(purpose, duty)) return false;
        bool general = _has(use, 0) || _has(use, 1);
        if (_has(purpose, 4) && _has(use, 9)) return false;
        if (_has(purpose, 1) && !general) return false;
        if (_has(purpose, 2) && !general && !_has(use, 2)) return false;
        if (_has(purpose, 3) && !general && !_has(use, 2) && !_has(use, 3)) return false;
        if (_has(purpose, 4) && !general && !_has(use, 4)) return false;
        if (_has(purpose, 26) && _has(use, 8) && !_has(use, 3)) return false;
        if (_has(purpose, 27) && !general && !_has(use, 2)) return false;
        if (_has(purpose, 28) && (_has(use, 5) || _has(use, 6) || _has(use, 7))) return false;
        return !_has(purpose, 29) || _has(use, 25);
    }

    /// @dev Any well-formed terms but that looking for people may be left open.
    function _use(uint8 permission, uint32 any) private pure returns (uint32) {
        return uint32(1 << (permission % 5)) | (any & 0x03ffffe0);
    }

    function _purpose(uint8 kind, uint32 any) private pure returns (uint32) {
        return uint32(1 << (1 + (kind % 4))) | (any & PURPOSE_TERMS & ~uint32(0x1e));
    }

    function _has(uint32 bits, uint8 bit) private pure returns (bool) {
        return (bits >> bit) & 1 == 1;
    }

    function _allows(uint32 use, uint32 purpose) private pure returns (bool) {
        return DataUse.wrap(use).allows(Purpose.wrap(purpose));
    }
}
