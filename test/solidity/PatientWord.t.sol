// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PatientWord, PatientWordLib} from "../../contracts/libraries/PatientWord.sol";
import {Test} from "./Vm.sol";

contract PatientWordTest is Test {
    function testFuzz_everyFieldComesBack(address signer, uint32 epoch, uint32 nonce) public pure {
        PatientWord word = _pack(signer, epoch, nonce);
        _require(word.signer() == signer, "signer");
        _equal(word.epoch(), epoch, "epoch");
        _equal(word.nonce(), nonce, "nonce");
        _require(word.isKnown() == (PatientWord.unwrap(word) != 0), "known");
    }

    function testFuzz_aNonceChangesNothingElse(address signer, uint32 epoch, uint32 nonce) public pure {
        VM.assume(nonce < type(uint32).max);
        PatientWord word = _pack(signer, epoch, nonce).withNextNonce();
        _equal(PatientWord.unwrap(word), PatientWord.unwrap(_pack(signer, epoch, nonce + 1)), "word");
    }

    function testFuzz_aSignerRaisesEpochAndNonce(address signer, address next, uint32 epoch, uint32 nonce) public pure {
        VM.assume(nonce < type(uint32).max && epoch < type(uint32).max);
        PatientWord word = _pack(signer, epoch, nonce).withSigner(next);
        _equal(PatientWord.unwrap(word), PatientWord.unwrap(_pack(next, epoch + 1, nonce + 1)), "word");
    }

    function testFuzz_aNewPatientStartsAtZero(address signer) public pure {
        _equal(PatientWord.unwrap(PatientWordLib.first(signer)), PatientWord.unwrap(_pack(signer, 0, 0)), "word");
    }

    function testFuzz_noNumberStartsAgain(address signer, uint32 other) public view {
        other = uint32(_bound(other, 0, type(uint32).max - 1));
        _overflows(abi.encodeCall(this.withNextNonce, (_pack(signer, other, type(uint32).max))));
        _overflows(abi.encodeCall(this.withSigner, (_pack(signer, other, type(uint32).max), signer)));
        _overflows(abi.encodeCall(this.withSigner, (_pack(signer, type(uint32).max, other), signer)));
    }

    /// @notice From outside, so that a test sees it revert.
    function withNextNonce(PatientWord word) external pure returns (PatientWord) {
        return word.withNextNonce();
    }

    /// @notice From outside, so that a test sees it revert.
    function withSigner(PatientWord word, address next) external pure returns (PatientWord) {
        return word.withSigner(next);
    }

    function _overflows(bytes memory call) private view {
        (bool isDone, bytes memory reason) = address(this).staticcall(call);
        _require(
            !isDone && keccak256(reason) == keccak256(abi.encodeWithSignature("Panic(uint256)", 0x11)),
            "overflow"
        );
    }

    function _pack(address signer, uint32 epoch, uint32 nonce) private pure returns (PatientWord) {
        return PatientWord.wrap(uint256(bytes32(abi.encodePacked(uint32(0), epoch, nonce, signer))));
    }
}
