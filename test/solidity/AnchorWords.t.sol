// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GatewayHead, GatewayHeadLib} from "../../contracts/libraries/GatewayHead.sol";
import {NodeTerms, NodeTermsLib} from "../../contracts/libraries/NodeTerms.sol";
import {SuperHead} from "../../contracts/libraries/SuperHead.sol";
import {Test} from "./Vm.sol";

/// @title The packed words of anchors and nodes, from both ends
contract AnchorWordsTest is Test {
    function testFuzz_aGatewaysWordKeepsItsPositionAndTheFirstBitsOfTheHash(
        uint256 before,
        uint32 sequence,
        uint40 treeSize,
        bytes32 root
    ) public pure {
        GatewayHead head = GatewayHead.wrap(before).next(sequence, treeSize, root);
        _equal(head.sequence(), sequence, "sequence");
        _equal(head.treeSize(), treeSize, "treeSize");
        bytes32 hash = keccak256(abi.encode(before, sequence, treeSize, root));
        _equal(GatewayHead.unwrap(head) >> 72, uint256(hash) >> 72, "hash");
    }

    function testFuzz_handingOnKeepsThePosition(uint256 before, bytes32 signer, bytes32 certificate) public pure {
        GatewayHead head = GatewayHead.wrap(before);
        GatewayHead next = head.handedOn(signer, certificate);
        _equal(next.sequence(), head.sequence(), "sequence");
        _equal(next.treeSize(), head.treeSize(), "treeSize");
        bytes32 hash = keccak256(abi.encode(before, signer, certificate));
        _equal(GatewayHead.unwrap(next) >> 72, uint256(hash) >> 72, "hash");
    }

    function testFuzz_aLiveWordIsNeitherUnknownNorEnded(bytes32 gateway, bytes32 certificate) public pure {
        GatewayHead head = GatewayHeadLib.first(gateway, certificate);
        _require(!head.isUnknown() && !head.isEnded(), "live");
        _equal(head.sequence() + head.treeSize(), 0, "position");
        _require(GatewayHeadLib.ENDED.isEnded() && !GatewayHeadLib.ENDED.isUnknown(), "ended");
        _require(GatewayHead.wrap(0).isUnknown(), "unknown");
    }

    function testFuzz_anAggregatorsWordKeepsItsEpoch(
        uint256 before,
        uint40 epoch,
        uint32 count,
        bytes32 root
    ) public pure {
        SuperHead head = SuperHead.wrap(before).next(epoch, count, root);
        _equal(head.epoch(), epoch, "epoch");
        bytes32 hash = keccak256(abi.encode(before, epoch, count, root));
        _equal(SuperHead.unwrap(head) >> 40, uint256(hash) >> 40, "hash");
    }

    function testFuzz_aNodesWordKeepsEachField(
        uint64 pledgedBytes,
        uint40 validUntil,
        uint32 revision,
        uint256 time
    ) public pure {
        NodeTerms terms = NodeTermsLib.pack(pledgedBytes, validUntil, revision);
        NodeTerms retired = terms.asRetired();
        for (uint256 i = 0; i < 2; ++i) {
            NodeTerms each = i == 0 ? terms : retired;
            _equal(each.pledgedBytes(), pledgedBytes, "pledgedBytes");
            _equal(each.validUntil(), validUntil, "validUntil");
            _equal(each.revision(), revision, "revision");
        }
        _require(!terms.isRetired() && retired.isRetired(), "retired");
        _require(terms.isListedAt(time) == (time < validUntil), "listed");
        _require(!retired.isListedAt(time), "retired is listed");
        _require(terms.isUnknown() == (pledgedBytes == 0 && validUntil == 0 && revision == 0), "unknown");
    }
}
