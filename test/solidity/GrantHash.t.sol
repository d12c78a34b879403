// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {GrantHash} from "../../contracts/libraries/GrantHash.sol";
import {GrantTerms, GrantTermsLib} from "../../contracts/libraries/GrantTerms.sol";
import {PatientWord} from "../../contracts/libraries/PatientWord.sol";
import {Test} from "./Vm.sol";

/// @title The assembly against what it stands for
contract GrantHashTest is Test {
    struct Grant {
        bytes32 domain;
        bytes32 patient;
        uint256 terms;
        bytes32 scope;
        uint32 epoch;
        uint32 nonce;
        uint256 deadline;
    }

    function testFuzz_takesWhatTheKeySigned(Grant memory grant, uint256 key) public view {
        (bytes32 r, bytes32 vs) = _sign(_keyOf(key), _digestOf(grant));
        _require(_check(grant, VM.addr(_keyOf(key)), r, vs), "signed");
    }

    function testFuzz_refusesAnyOtherField(Grant memory grant, uint256 key, uint8 field, uint8 bit) public view {
        address signer = VM.addr(_keyOf(key));
        (bytes32 r, bytes32 vs) = _sign(_keyOf(key), _digestOf(grant));
        uint256 change = uint256(1) << bit;
        uint256 which = field % 8;
        if (which == 0) grant.domain ^= bytes32(change);
        else if (which == 1) grant.patient ^= bytes32(change);
        else if (which == 2) grant.terms ^= change;
        else if (which == 3) grant.scope ^= bytes32(change);
        else if (which == 4) grant.epoch ^= uint32(1) << (bit % 32);
        else if (which == 5) grant.deadline ^= change;
        else if (which == 6) signer = address(uint160(signer) ^ (uint160(1) << (bit % 160)));
        else vs ^= bytes32(change);
        _require(!_check(grant, signer, r, vs), "tampered");
    }

    function testFuzz_agreesWithOpenZeppelin(Grant memory grant, bytes32 r, bytes32 vs, bool small) public view {
        // Without this, nearly every r and s is above the order of the curve or names no point.
        if (small) (r, vs) = (r >> 130, vs >> 130);
        (address recovered, ECDSA.RecoverError problem, ) = ECDSA.tryRecover(_digestOf(grant), r, vs);
        if (problem == ECDSA.RecoverError.NoError) _require(_check(grant, recovered, r, vs), "recovered");
        else _require(!_check(grant, recovered, r, vs) && !_check(grant, address(1), r, vs), "refused");
    }

    function testFuzz_nobodySignsForNobody(Grant memory grant, bytes32 r, bytes32 vs) public view {
        _require(!_check(grant, address(0), r, vs), "unknown patient");
    }

    function testFuzz_usableIsWhatTheListSays(uint256 word, uint8 rights, uint8 uses, uint256 time) public pure {
        // Half of all words have no usable rights otherwise.
        word = (word & (type(uint256).max >> 16)) | (uint256(rights % 10) << 240) | (uint256(uses % 3) << 248);
        GrantTerms terms = GrantTerms.wrap(word);
        time = _bound(time, 0, 2 ** 41);
        bool expected = terms.grantee() != address(0) &&
            terms.rights() != 0 &&
            terms.rights() <= GrantTermsLib.ALL_RIGHTS &&
            terms.uses() != 0 &&
            terms.notBefore() < terms.expiresAt() &&
            time < terms.expiresAt();
        _require(terms.isUsableAt(time) == expected, "usable");
    }

    function _check(Grant memory grant, address signer, bytes32 r, bytes32 vs) private view returns (bool) {
        PatientWord word = PatientWord.wrap(
            uint256(bytes32(abi.encodePacked(uint32(0), grant.epoch, grant.nonce, signer)))
        );
        return
            GrantHash.isSignedBy(
                grant.domain,
                grant.patient,
                word,
                GrantTerms.wrap(grant.terms),
                grant.scope,
                grant.deadline,
                r,
                vs
            );
    }

    function _digestOf(Grant memory grant) private pure returns (bytes32) {
        bytes32 structHash = GrantHash.structHash(
            grant.patient,
            GrantTerms.wrap(grant.terms),
            grant.scope,
            grant.epoch,
            grant.deadline
        );
        return MessageHashUtils.toTypedDataHash(grant.domain, structHash);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes32 r, bytes32 vs) {
        (uint8 v, bytes32 r_, bytes32 s) = VM.sign(key, digest);
        return (r_, v == 27 ? s : s | bytes32(uint256(1) << 255));
    }

    function _keyOf(uint256 any) private pure returns (uint256) {
        return _bound(any, 1, 2 ** 250);
    }
}
