// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchAnchors} from "../../contracts/BatchAnchors.sol";
import {Test} from "./Vm.sol";

/// @title Anchors whatever it is told, and keeps its own account of what was taken
contract AnchorActor is Test {
    uint256 private constant GATEWAY_KEY = 0x6a7e;

    BatchAnchors public immutable ANCHORS;
    bytes32 public immutable GATEWAY;

    bytes32 public head;
    uint64 public sequence;
    uint64 public treeSize;
    bool public skippedOrRepeated;
    bool public shrank;

    constructor() {
        ANCHORS = new BatchAnchors();
        bytes memory signer = abi.encodePacked(VM.addr(GATEWAY_KEY));
        GATEWAY = keccak256(abi.encode(keccak256(signer), bytes32(0)));
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("GatewayRegistration(bytes32 gateway,bytes signer,bytes32 certificate,uint256 deadline)"),
                keccak256(abi.encode(keccak256(signer), bytes32(0))),
                keccak256(signer),
                bytes32(uint256(1)),
                deadline
            )
        );
        bytes memory signature = _signTyped(GATEWAY_KEY, "Salus BatchAnchors", address(ANCHORS), structHash);
        ANCHORS.register(signer, bytes32(uint256(1)), bytes32(0), deadline, signature);
    }

    /// @notice Asks for an anchor near the next one; the contract may refuse.
    function anchor(uint8 step, uint8 grown, bool shrinks, bytes32 root) external {
        uint64 wantedSequence = sequence + uint64(_bound(step, 0, 2));
        uint64 wantedSize = shrinks && treeSize > 0 ? treeSize - 1 : treeSize + grown;
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Anchor(bytes32 gateway,uint64 sequence,uint64 treeSize,bytes32 root,uint256 deadline)"),
                GATEWAY,
                wantedSequence,
                wantedSize,
                root,
                deadline
            )
        );
        bytes memory signature = _signTyped(GATEWAY_KEY, "Salus BatchAnchors", address(ANCHORS), structHash);
        ANCHORS.anchor(GATEWAY, wantedSequence, wantedSize, root, deadline, signature);

        // Kept instead of thrown: a handler that reverts counts as a call that never was.
        skippedOrRepeated = skippedOrRepeated || wantedSequence != sequence + 1;
        shrank = shrank || wantedSize < treeSize;
        head = keccak256(abi.encode(head, wantedSequence, wantedSize, root));
        (sequence, treeSize) = (wantedSequence, wantedSize);
    }
}

contract BatchAnchorsInvariants is Test {
    AnchorActor private _actor;

    function setUp() public {
        _actor = new AnchorActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_sequenceRisesByOneAndTheTreeNeverShrinks() public view {
        _require(!_actor.skippedOrRepeated(), "sequence");
        _require(!_actor.shrank(), "tree");
    }

    function invariant_headIsTheChainOfEverythingTaken() public view {
        (bytes32 head, uint64 sequence, uint64 treeSize, ) = _actor.ANCHORS().headOf(_actor.GATEWAY());
        _require(head == _actor.head(), "head");
        _equal(sequence, _actor.sequence(), "sequence");
        _equal(treeSize, _actor.treeSize(), "treeSize");
    }
}
