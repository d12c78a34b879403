// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrantTerms, GrantTermsLib} from "../../contracts/libraries/GrantTerms.sol";
import {Test} from "./Vm.sol";

contract GrantTermsTest is Test {
    function testFuzz_everyFieldComesBack(
        address grantee,
        uint40 notBefore,
        uint40 expiresAt,
        uint8 rights,
        uint8 uses
    ) public pure {
        GrantTerms terms = _pack(grantee, notBefore, expiresAt, rights, uses);
        _require(terms.grantee() == grantee, "grantee");
        _equal(terms.notBefore(), notBefore, "notBefore");
        _equal(terms.expiresAt(), expiresAt, "expiresAt");
        _equal(terms.rights(), rights, "rights");
        _equal(terms.uses(), uses, "uses");
    }

    function testFuzz_usesChangeNothingElse(uint256 word, uint8 usesLeft) public pure {
        GrantTerms terms = GrantTerms.wrap(word);
        GrantTerms changed = terms.withUses(usesLeft);
        _equal(changed.uses(), usesLeft, "uses");
        _equal(GrantTerms.unwrap(changed.withUses(terms.uses())), word, "the rest");
    }

    function testFuzz_equalsItselfWhateverIsClaimedAndNothingElse(
        uint256 word,
        uint256 other,
        uint8 usesLeft
    ) public pure {
        GrantTerms terms = GrantTerms.wrap(word);
        _require(terms.equalsButForUses(terms.withUses(usesLeft)), "claimed");
        bool isSame = terms.grantee() == GrantTerms.wrap(other).grantee() && word << 8 == other << 8;
        _require(terms.equalsButForUses(GrantTerms.wrap(other)) == isSame, "another");
        _require(!terms.equalsButForUses(GrantTerms.wrap(word ^ (1 << (other % 248)))), "one bit");
        _require(!terms.equalsButForUses(GrantTerms.wrap(word ^ (1 << 247))), "the bit beside the uses");
    }

    function testFuzz_liveWithinItsTimeOnly(uint40 notBefore, uint40 expiresAt, uint8 uses, uint256 time) public pure {
        GrantTerms terms = _pack(address(0xa11ce), notBefore, expiresAt, 1, uses);
        bool expected = uses > 0 && notBefore <= time && time < expiresAt;
        _require(terms.isLiveAt(time) == expected, "live");
    }

    function testFuzz_neverLiveUnopenedOrRevoked(uint256 time) public pure {
        _require(!GrantTerms.wrap(0).isLiveAt(time), "unopened");
        _require(!GrantTermsLib.REVOKED.isLiveAt(time), "revoked");
    }

    function _pack(
        address grantee,
        uint40 notBefore,
        uint40 expiresAt,
        uint8 rights,
        uint8 uses
    ) private pure returns (GrantTerms) {
        return GrantTerms.wrap(uint256(bytes32(abi.encodePacked(uses, rights, expiresAt, notBefore, grantee))));
    }
}
