// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeySets} from "../../contracts/interfaces/IKeySets.sol";
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
        return KeySets.idsOf(signers);
    }

    function requireSet(IKeySets.KeySet calldata set, bytes32 digest) external pure {
        KeySets.requireSet(set, digest);
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
        bytes32 digest = keccak256(abi.encode(set.ids, set.threshold));
        CALLER.requireSet(set, digest);
        set.ids[place] = other;
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
