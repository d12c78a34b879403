// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialRoles} from "../../contracts/libraries/CredentialRoles.sol";
import {CredentialTerms, CredentialTermsLib} from "../../contracts/libraries/CredentialTerms.sol";
import {Test} from "./Vm.sol";

contract CredentialTermsTest is Test {
    function testFuzz_everyFieldComesBack(
        address holder,
        uint32 notBefore,
        uint32 expiresAt,
        uint16 role,
        uint16 specialty
    ) public pure {
        CredentialTerms terms = _pack(holder, notBefore, expiresAt, role, specialty);
        _require(terms.holder() == holder, "holder");
        _equal(terms.notBefore(), notBefore, "notBefore");
        _equal(terms.expiresAt(), expiresAt, "expiresAt");
        _equal(terms.role(), role, "role");
        _equal(terms.specialty(), specialty, "specialty");
    }

    function testFuzz_inTimeWithinItsTimeOnly(uint256 word, uint32 time) public pure {
        CredentialTerms terms = CredentialTerms.wrap(word);
        _require(terms.isInTime(time) == (terms.notBefore() <= time && time < terms.expiresAt()), "in time");
        _require(!terms.isInTime(uint256(type(uint32).max) + time), "after 2106");
    }

    function testFuzz_revokedIsRevokedAndKeepsItsHolderAlone(address holder, uint256 time) public pure {
        VM.assume(holder != address(0));
        CredentialTerms terms = CredentialTermsLib.revokedOf(holder);
        _require(terms.isRevoked() && !terms.isUnissued(), "revoked");
        _require(!terms.isInTime(time), "in time");
        _require(terms.holder() == holder, "holder");
        _equal(terms.role(), 0, "role");
    }

    function testFuzz_neverBothUnissuedAndRevoked(uint256 word) public pure {
        CredentialTerms terms = CredentialTerms.wrap(word);
        _require(!(terms.isUnissued() && terms.isRevoked()), "both");
        if (terms.expiresAt() != 0) _require(!terms.isUnissued() && !terms.isRevoked(), "neither");
    }

    function testFuzz_roleIsInMaskByItsBitAlone(uint16 role, uint32 mask) public pure {
        bool expected = role < 32 && mask & (uint256(1) << role) != 0;
        _require(CredentialRoles.isIn(role, mask) == expected, "mask");
        _require(CredentialRoles.isIn(role & 31, mask) == (mask & (uint256(1) << (role & 31)) != 0), "low bits");
    }

    function _pack(
        address holder,
        uint32 notBefore,
        uint32 expiresAt,
        uint16 role,
        uint16 specialty
    ) private pure returns (CredentialTerms) {
        return CredentialTerms.wrap(uint256(bytes32(abi.encodePacked(specialty, role, expiresAt, notBefore, holder))));
    }
}
