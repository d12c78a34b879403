// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchAnchors} from "../../contracts/BatchAnchors.sol";
import {Test} from "./Vm.sol";

/// @title Registers, anchors, hands on, retires and aggregates as it is told, and keeps its own account of what was taken
/// @dev Three signers and two gateways: enough for every mix-up. A handler that reverts counts as a call that never was.
contract AnchorActor is Test {
    struct Gateway {
        bytes32 id;
        uint256 owner;
        bool isRetired;
        uint32 sequence;
        uint40 treeSize;
        bytes32 word;
    }

    uint256 public constant SIGNERS = 3;
    bytes32 private constant CERTIFICATE = bytes32(uint256(1));
    uint256 private constant POSITION_MASK = (1 << 72) - 1;

    BatchAnchors public immutable ANCHORS;

    Gateway[2] public gateways;
    mapping(address aggregator => uint256) public epochs;
    mapping(address aggregator => bytes32) public superWords;
    bool public wrongWasTaken;

    constructor() {
        ANCHORS = new BatchAnchors(address(this));
        for (uint256 i = 0; i < gateways.length; ++i) _register(i);
    }

    function keyOf(uint256 signer) public pure returns (uint256) {
        return 0x6a7e + signer;
    }

    function signerOf(uint256 signer) public pure returns (address) {
        return VM.addr(keyOf(signer));
    }

    /// @notice Asks for an anchor near the next one, by any signer and way; the contract may refuse.
    function anchor(uint8 which, uint8 by, uint8 step, uint8 grown, bool shrinks, bool pays, bytes32 root) external {
        Gateway storage gateway = gateways[which % 2];
        uint256 signer = by % SIGNERS;
        uint32 sequence = gateway.sequence + uint32(step % 3);
        uint40 treeSize = shrinks && gateway.treeSize > 0 ? gateway.treeSize - 1 : gateway.treeSize + grown;
        if (pays) {
            VM.prank(signerOf(signer));
            ANCHORS.anchorByAccount(gateway.id, sequence, treeSize, root);
        } else {
            _anchorSigned(gateway.id, signer, sequence, treeSize, root);
        }

        _note(signer != gateway.owner || gateway.isRetired || root == 0);
        _note(sequence != gateway.sequence + 1 || treeSize < gateway.treeSize);
        bytes32 hash = keccak256(abi.encode(gateway.word, sequence, treeSize, root));
        gateway.word = _join(hash, (uint256(treeSize) << 32) | sequence);
        (gateway.sequence, gateway.treeSize) = (sequence, treeSize);
    }

    /// @notice Asks to hand a gateway on, by anyone to anyone.
    function rotate(uint8 which, uint8 by, uint8 to) external {
        Gateway storage gateway = gateways[which % 2];
        (uint256 signer, uint256 next) = (by % SIGNERS, to % SIGNERS);
        bytes memory newSigner = abi.encodePacked(signerOf(next));
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("GatewayRotation(bytes32 gateway,bytes newSigner,bytes32 certificate,uint256 deadline)"),
                gateway.id,
                keccak256(newSigner),
                CERTIFICATE,
                deadline
            )
        );
        ANCHORS.rotate(
            gateway.id,
            newSigner,
            CERTIFICATE,
            deadline,
            abi.encodePacked(signerOf(signer)),
            _sign(signer, structHash),
            _sign(next, structHash)
        );

        _note(signer != gateway.owner || gateway.isRetired || next == signer);
        bytes32 hash = keccak256(abi.encode(gateway.word, keccak256(newSigner), CERTIFICATE));
        gateway.word = _join(hash, uint256(gateway.word) & POSITION_MASK);
        gateway.owner = next;
    }

    /// @notice Asks to retire a gateway; seldom, so that there is something to retire.
    function retire(uint8 which, uint8 by, uint8 seldom) external {
        if (seldom % 8 != 0) return;
        Gateway storage gateway = gateways[which % 2];
        uint256 signer = by % SIGNERS;
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(keccak256("GatewayRetirement(bytes32 gateway,uint256 deadline)"), gateway.id, deadline)
        );
        ANCHORS.retire(gateway.id, deadline, abi.encodePacked(signerOf(signer)), _sign(signer, structHash));

        _note(signer != gateway.owner || gateway.isRetired);
        gateway.isRetired = true;
    }

    /// @notice Asks for a super-root near the next one.
    function aggregate(uint8 by, uint8 step, uint32 count, bytes32 root) external {
        address aggregator = signerOf(by % SIGNERS);
        uint40 epoch = uint40(epochs[aggregator] + (step % 3));
        VM.prank(aggregator);
        ANCHORS.anchorGatewaysByAccount(epoch, count, root);

        _note(epoch != epochs[aggregator] + 1 || count == 0 || root == 0);
        bytes32 hash = keccak256(abi.encode(superWords[aggregator], epoch, count, root));
        superWords[aggregator] = bytes32((uint256(hash) & ~uint256(type(uint40).max)) | epoch);
        epochs[aggregator] = epoch;
    }

    function _register(uint256 which) private {
        bytes memory signer = abi.encodePacked(signerOf(which));
        bytes32 id = keccak256(abi.encode(keccak256(signer), bytes32(which)));
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("GatewayRegistration(bytes32 gateway,bytes signer,bytes32 certificate,uint256 deadline)"),
                id,
                keccak256(signer),
                CERTIFICATE,
                deadline
            )
        );
        ANCHORS.register(signer, CERTIFICATE, bytes32(which), deadline, _sign(which, structHash));
        gateways[which] = Gateway(id, which, false, 0, 0, _join(keccak256(abi.encode(id, CERTIFICATE)), 0));
    }

    function _anchorSigned(bytes32 id, uint256 signer, uint32 sequence, uint40 treeSize, bytes32 root) private {
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Anchor(bytes32 gateway,uint32 sequence,uint40 treeSize,bytes32 root,uint256 deadline)"),
                id,
                sequence,
                treeSize,
                root,
                deadline
            )
        );
        bytes memory signature = _sign(signer, structHash);
        ANCHORS.anchor(id, sequence, treeSize, root, deadline, abi.encodePacked(signerOf(signer)), signature);
    }

    function _sign(uint256 signer, bytes32 structHash) private view returns (bytes memory) {
        return _signTyped(keyOf(signer), "Salus BatchAnchors", address(ANCHORS), structHash);
    }

    function _note(bool isWrong) private {
        wrongWasTaken = wrongWasTaken || isWrong;
    }

    function _join(bytes32 hash, uint256 position) private pure returns (bytes32) {
        return bytes32((uint256(hash) & ~POSITION_MASK) | position);
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

    function invariant_nothingIsTakenOutOfOrderFromAStrangerOrTheRetired() public view {
        _require(!_actor.wrongWasTaken(), "taken");
    }

    function invariant_oneSignerHoldsAGatewayUntilItIsRetiredAndItsWordIsTheChainOfEverything() public view {
        for (uint256 which = 0; which < 2; ++which) {
            (bytes32 id, uint256 owner, bool isRetired, uint32 sequence, uint40 treeSize, bytes32 word) = _actor
                .gateways(which);
            for (uint256 signer = 0; signer < _actor.SIGNERS(); ++signer) {
                try _actor.ANCHORS().headOf(_actor.signerOf(signer), id) returns (
                    bytes32 kept,
                    uint32 keptSequence,
                    uint40 keptSize
                ) {
                    _require(signer == owner && !isRetired, "holder");
                    _require(kept == word, "word");
                    _equal(keptSequence, sequence, "sequence");
                    _equal(keptSize, treeSize, "treeSize");
                } catch {
                    _require(signer != owner || isRetired, "nobody holds it");
                }
            }
        }
    }

    function invariant_superRootsRiseByOneAndChain() public view {
        for (uint256 signer = 0; signer < _actor.SIGNERS(); ++signer) {
            address aggregator = _actor.signerOf(signer);
            (bytes32 word, uint40 epoch) = _actor.ANCHORS().superHeadOf(aggregator);
            _equal(epoch, _actor.epochs(aggregator), "epoch");
            _require(word == _actor.superWords(aggregator), "word");
        }
    }
}
