// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../contracts/NodeRegistry.sol";
import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Test} from "./Vm.sol";

/// @title Two organisations that list, pledge and retire as they are told, each at times suspended
contract NodeActor is Test, IOrganisations {
    struct Peer {
        uint32 revision;
        uint64 pledgedBytes;
        uint40 validUntil;
        bool isRetired;
    }

    NodeRegistry public immutable NODES;

    mapping(uint256 organisation => mapping(bytes32 node => Peer)) public peers;
    mapping(uint256 organisation => uint256) public counts;
    bool[2] public suspended;
    bool public wrongWasTaken;

    constructor() {
        NODES = new NodeRegistry(address(this), this);
    }

    function isAccredited(bytes32 organisation) external view returns (bool) {
        return uint256(organisation) < 2 && !suspended[uint256(organisation)];
    }

    function signerOf(bytes32 organisation) external pure returns (address) {
        return VM.addr(_keyOf(uint256(organisation)));
    }

    function nodeOf(uint256 peer) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"002408011220", bytes32(peer + 1)));
    }

    function suspend(uint8 which, bool really) external {
        suspended[which % 2] = really && which % 16 < 4;
    }

    function list(uint8 which, uint8 by, uint8 peer, uint8 step, uint64 pledged, uint32 span) external {
        uint256 organisation = which % 2;
        bytes32 node = nodeOf(peer % 3);
        INodeRegistry.Listing memory listing = INodeRegistry.Listing({
            organisation: bytes32(organisation),
            peerKey: bytes32(uint256(peer % 3) + 1),
            pledgedBytes: pledged,
            validUntil: uint40(block.timestamp + (span % 400 days)),
            revision: peers[organisation][node].revision + uint32(step % 3),
            nodeProof: new bytes(64),
            deadline: block.timestamp + 1 days
        });
        NODES.list(listing, _signerBytes(by % 2), _signListing(by % 2, listing));

        Peer storage kept = peers[organisation][node];
        _note(by % 2 != organisation || suspended[organisation] || kept.isRetired || step % 3 != 1);
        _note(span % 400 days == 0 || span % 400 days > 366 days);
        if (kept.revision == 0) ++counts[organisation];
        peers[organisation][node] = Peer(listing.revision, pledged, listing.validUntil, false);
    }

    function changePledge(uint8 which, uint8 by, uint8 peer, uint8 step, uint64 pledged) external {
        uint256 organisation = which % 2;
        bytes32 node = nodeOf(peer % 3);
        Peer storage kept = peers[organisation][node];
        uint32 revision = kept.revision + uint32(step % 3);
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "NodePledge(bytes32 organisation,bytes32 node,uint64 pledgedBytes,uint32 revision,uint256 deadline)"
                ),
                organisation,
                node,
                pledged,
                revision,
                deadline
            )
        );
        bytes memory signature = _sign(by % 2, structHash);
        NODES.changePledge(bytes32(organisation), node, pledged, revision, deadline, _signerBytes(by % 2), signature);

        _note(by % 2 != organisation || suspended[organisation] || kept.isRetired || step % 3 != 1);
        _note(kept.revision == 0);
        (kept.revision, kept.pledgedBytes) = (revision, pledged);
    }

    function retire(uint8 which, uint8 by, uint8 peer, uint8 seldom) external {
        if (seldom % 8 != 0) return;
        uint256 organisation = which % 2;
        bytes32 node = nodeOf(peer % 3);
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("NodeRetirement(bytes32 organisation,bytes32 node,uint256 deadline)"),
                organisation,
                node,
                deadline
            )
        );
        NODES.retire(bytes32(organisation), node, deadline, _signerBytes(by % 2), _sign(by % 2, structHash));

        Peer storage kept = peers[organisation][node];
        _note(by % 2 != organisation || kept.isRetired || kept.revision == 0);
        kept.isRetired = true;
    }

    function _note(bool isWrong) private {
        wrongWasTaken = wrongWasTaken || isWrong;
    }

    function _signListing(uint256 by, INodeRegistry.Listing memory listing) private view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "NodeListing(bytes32 organisation,bytes32 peerKey,uint64 pledgedBytes,uint40 validUntil,uint32 revision,bytes nodeProof,uint256 deadline)"
                ),
                listing.organisation,
                listing.peerKey,
                listing.pledgedBytes,
                listing.validUntil,
                listing.revision,
                keccak256(listing.nodeProof),
                listing.deadline
            )
        );
        return _sign(by, structHash);
    }

    function _sign(uint256 organisation, bytes32 structHash) private view returns (bytes memory) {
        return _signTyped(_keyOf(organisation), "Salus NodeRegistry", address(NODES), structHash);
    }

    function _signerBytes(uint256 organisation) private pure returns (bytes memory) {
        return abi.encodePacked(VM.addr(_keyOf(organisation)));
    }

    function _keyOf(uint256 organisation) private pure returns (uint256) {
        return 0x0de5 + organisation;
    }
}

contract NodeRegistryInvariants is Test {
    NodeActor private _actor;

    function setUp() public {
        _actor = new NodeActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_nothingIsTakenOutOfOrderFromAStrangerTheSuspendedOrForTheRetired() public view {
        _require(!_actor.wrongWasTaken(), "taken");
    }

    function invariant_listsHoldWhatWasListedEachPeerOnce() public view {
        for (uint256 organisation = 0; organisation < 2; ++organisation) {
            bytes32 id = bytes32(organisation);
            _equal(_actor.NODES().nodeCountOf(id), _actor.counts(organisation), "count");
            _equal(_actor.NODES().nodesOf(id, 0, 100).length, _actor.counts(organisation), "page");
            for (uint256 peer = 0; peer < 3; ++peer) _requireAsKept(organisation, _actor.nodeOf(peer));
        }
    }

    function _requireAsKept(uint256 organisation, bytes32 node) private view {
        NodeRegistry nodes = _actor.NODES();
        (uint64 pledgedBytes, uint40 validUntil, uint32 revision, bool isRetired) = nodes.nodeOf(
            bytes32(organisation),
            node
        );
        (uint32 keptRevision, uint64 keptPledge, uint40 keptUntil, bool keptRetired) = _actor.peers(organisation, node);
        _equal(revision, keptRevision, "revision");
        _equal(pledgedBytes, keptPledge, "pledge");
        _equal(validUntil, keptUntil, "validUntil");
        _require(isRetired == keptRetired, "retired");
        bool listed = block.timestamp < keptUntil && !keptRetired && !_actor.suspended(organisation);
        _require(nodes.isListed(bytes32(organisation), node, block.timestamp) == listed, "listed");
    }
}
