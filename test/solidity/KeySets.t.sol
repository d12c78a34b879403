// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeySets} from "../../contracts/interfaces/IKeySets.sol";
import {ISignedRequests} from "../../contracts/interfaces/ISignedRequests.sol";
import {KeySets} from "../../contracts/libraries/KeySets.sol";
import {Test} from "./Vm.sol";

/// @title Calls the library from outside, as its parameters lie in calldata
contract KeySetsCaller {
    function check(
        address[] calldata ids,
        uint256 required,
        bytes32 hash,
        IKeySets.Approval[] calldata approvals
    ) external view returns (uint16) {
        return KeySets.requireApprovals(ids, required, hash, approvals);
    }

    function idsOf(bytes[] calldata signers) external pure returns (address[] memory) {
        return KeySets.idsOf(signers, 1);
    }

    function idsOfAny(bytes[] calldata signers) external pure returns (address[] memory) {
        return KeySets.idsOf(signers, 0);
    }

    function digestOfGiven(uint8 threshold, address[] calldata ids) external pure returns (bytes32) {
        return KeySets.digestOfGiven(threshold, ids);
    }

    function requireSet(IKeySets.KeySet calldata set, bytes32 digest) external pure {
        KeySets.requireSet(set, digest);
    }

    function requireThreshold(uint8 threshold, uint256 count) external pure {
        KeySets.requireThreshold(threshold, count);
    }
}

contract KeySetsTest is Test {
    uint256 private constant COUNT = 5;

    KeySetsCaller private immutable CALLER = new KeySetsCaller();

    function testFuzz_anySubsetOfEnoughSignersIsEnough(bytes32 hash, uint8 chosen, uint8 required) public view {
        uint256 needed = _bound(required, 1, COUNT);
        uint16 places = uint16(chosen % (1 << COUNT));
        uint256 count = _count(places);
        VM.assume(count >= needed);
        _equal(CALLER.check(_ids(), needed, hash, _approvals(places, hash)), places, "who approved");
    }

    function testFuzz_fewerAreNotEnough(bytes32 hash, uint8 chosen, uint8 required) public view {
        uint256 needed = _bound(required, 1, COUNT);
        uint16 places = uint16(chosen % (1 << COUNT));
        VM.assume(_count(places) < needed);
        IKeySets.Approval[] memory approvals = _approvals(places, hash);
        _refuses(abi.encodeCall(CALLER.check, (_ids(), needed, hash, approvals)), IKeySets.ApprovalsTooFew.selector);
    }

    function testFuzz_nobodyCountsTwice(bytes32 hash, uint8 index) public view {
        uint256 twice = _bound(index, 0, COUNT - 1);
        IKeySets.Approval[] memory approvals = new IKeySets.Approval[](2);
        approvals[0] = _approval(twice, hash);
        approvals[1] = approvals[0];
        _refuses(abi.encodeCall(CALLER.check, (_ids(), 2, hash, approvals)), IKeySets.ApprovalOutOfOrder.selector);
    }

    function testFuzz_aSignatureOverAnythingElseIsNone(bytes32 hash, bytes32 other, uint8 index) public view {
        VM.assume(hash != other);
        uint256 place = _bound(index, 0, COUNT - 1);
        IKeySets.Approval[] memory approvals = new IKeySets.Approval[](1);
        approvals[0] = _approval(place, other);
        _refuses(
            abi.encodeCall(CALLER.check, (_ids(), 1, hash, approvals)),
            IKeySets.ApprovalSignatureInvalid.selector
        );
    }

    function testFuzz_anotherSetHasAnotherDigest(
        address[4] memory ids,
        uint8 threshold,
        uint8 which,
        address other
    ) public view {
        uint256 place = which % 4;
        VM.assume(ids[place] != other);
        IKeySets.KeySet memory set = IKeySets.KeySet({ids: new address[](4), threshold: threshold});
        for (uint256 i = 0; i < 4; ++i) set.ids[i] = ids[i];
        bytes32 digest = keccak256(abi.encode(set.threshold, set.ids));
        CALLER.requireSet(set, digest);
        set.ids[place] = other;
        _refuses(abi.encodeCall(CALLER.requireSet, (set, digest)), IKeySets.SignerSetMismatch.selector);
    }

    function testFuzz_aDigestIsTheSameWhereverTheIdsLie(uint8 threshold, address[] calldata ids) public view {
        bytes32 expected = keccak256(abi.encode(threshold, ids));
        _require(KeySets.digest(threshold, ids) == expected, "in memory");
        _require(CALLER.digestOfGiven(threshold, ids) == expected, "in calldata");
    }

    function test_aSetThatMayBeEmptyHasNoIds() public view {
        _equal(CALLER.idsOfAny(_signers(0)).length, 0, "ids");
        _equal(CALLER.idsOfAny(_signers(16)).length, 16, "ids");
        _refuses(abi.encodeCall(CALLER.idsOfAny, (_signers(17))), IKeySets.SignerSetSizeInvalid.selector);
    }

    function testFuzz_anAccountNeedNotBeGivenTwice(bytes32 hash, bytes32 other, uint8 index) public view {
        VM.assume(hash != other);
        uint256 place = _bound(index, 0, COUNT - 1);
        IKeySets.Approval[] memory approvals = new IKeySets.Approval[](1);
        approvals[0] = _approval(place, hash);
        approvals[0].signer = "";
        _equal(CALLER.check(_ids(), 1, hash, approvals), 1 << place, "who approved");
        _refuses(
            abi.encodeCall(CALLER.check, (_ids(), 1, other, approvals)),
            IKeySets.ApprovalSignatureInvalid.selector
        );
    }

    function testFuzz_theBytesOfAnotherSignerAreNotTheOnes(bytes32 hash, uint8 index) public view {
        uint256 place = _bound(index, 0, COUNT - 1);
        IKeySets.Approval[] memory approvals = new IKeySets.Approval[](1);
        approvals[0] = _approval(place, hash);
        approvals[0].signer = abi.encodePacked(VM.addr(((place + 1) % COUNT) + 1));
        _refuses(abi.encodeCall(CALLER.check, (_ids(), 1, hash, approvals)), IKeySets.ApprovalSignerUnknown.selector);
    }

    function testFuzz_aSetHasOneToSixteenSigners(uint8 size) public view {
        uint256 count = size % 20;
        bytes memory call = abi.encodeCall(CALLER.idsOf, (_signers(count)));
        if (count == 0 || count > 16) _refuses(call, IKeySets.SignerSetSizeInvalid.selector);
        else _equal(CALLER.idsOf(_signers(count)).length, count, "ids");
    }

    function testFuzz_noSignerIsInASetTwice(uint8 size, uint8 first, uint8 second) public view {
        uint256 count = _bound(size, 2, 16);
        uint256 from = _bound(first, 0, count - 1);
        uint256 to = (from + _bound(second, 1, count - 1)) % count;
        bytes[] memory signers = _signers(count);
        signers[to] = signers[from];
        _refuses(abi.encodeCall(CALLER.idsOf, (signers)), IKeySets.SignerSetDuplicate.selector);
    }

    function testFuzz_everySignerOfASetIsWellFormed(uint8 size, uint8 which) public view {
        uint256 count = _bound(size, 1, 16);
        bytes[] memory signers = _signers(count);
        signers[which % count] = new bytes(19);
        _refuses(abi.encodeCall(CALLER.idsOf, (signers)), ISignedRequests.SignerMalformed.selector);
    }

    function testFuzz_aThresholdIsFromOneToAll(uint8 threshold, uint8 size) public view {
        uint256 count = _bound(size, 1, 16);
        CALLER.requireThreshold(1, count);
        CALLER.requireThreshold(uint8(count), count);
        if (threshold > 0 && threshold <= count) CALLER.requireThreshold(threshold, count);
        else _refuses(abi.encodeCall(CALLER.requireThreshold, (threshold, count)), IKeySets.ThresholdInvalid.selector);
    }

    function testFuzz_aPlaceBeyondTheSetIsNobodys(bytes32 hash, uint8 beyond) public view {
        IKeySets.Approval[] memory approvals = new IKeySets.Approval[](1);
        approvals[0] = _approval(0, hash);
        approvals[0].index = uint8(_bound(beyond, COUNT, type(uint8).max));
        _refuses(abi.encodeCall(CALLER.check, (_ids(), 1, hash, approvals)), IKeySets.ApprovalSignerUnknown.selector);
    }

    function testFuzz_anotherThresholdHasAnotherDigest(uint8 one, uint8 two) public view {
        VM.assume(one != two);
        IKeySets.KeySet memory set = IKeySets.KeySet({ids: _ids(), threshold: one});
        bytes32 digest = keccak256(abi.encode(two, set.ids));
        _refuses(abi.encodeCall(CALLER.requireSet, (set, digest)), IKeySets.SignerSetMismatch.selector);
    }

    function test_longSignersAreNamedByTheirHash() public view {
        bytes[] memory signers = new bytes[](1);
        signers[0] = abi.encodePacked(address(1), bytes32("x"), bytes32("y"));
        address[] memory ids = CALLER.idsOf(signers);
        _equal(uint160(ids[0]), uint160(uint256(keccak256(signers[0]))), "id");
    }

    function _refuses(bytes memory call, bytes4 selector) private view {
        (bool isDone, bytes memory data) = address(CALLER).staticcall(call);
        _require(!isDone && bytes4(data) == selector, "refused for another reason");
    }

    function _signers(uint256 count) private pure returns (bytes[] memory signers) {
        signers = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) signers[i] = abi.encodePacked(VM.addr(i + 1));
    }

    function _ids() private pure returns (address[] memory ids) {
        ids = new address[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) ids[i] = VM.addr(i + 1);
    }

    function _approvals(uint16 places, bytes32 hash) private pure returns (IKeySets.Approval[] memory approvals) {
        approvals = new IKeySets.Approval[](_count(places));
        uint256 next = 0;
        for (uint256 i = 0; i < COUNT; ++i) if (places & (1 << i) != 0) approvals[next++] = _approval(i, hash);
    }

    function _approval(uint256 index, bytes32 hash) private pure returns (IKeySets.Approval memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(index + 1, hash);
        return IKeySets.Approval(uint8(index), abi.encodePacked(VM.addr(index + 1)), abi.encodePacked(r, s, v));
    }

    function _count(uint16 places) private pure returns (uint256 count) {
        for (uint256 i = 0; i < 16; ++i) if (places & (1 << i) != 0) ++count;
    }
}
