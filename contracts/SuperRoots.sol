// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISuperRoots} from "./interfaces/ISuperRoots.sol";
import {SuperHead} from "./libraries/SuperHead.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title One root for the heads of many gateways
 * @dev Who may write a slot follows from its key alone, the aggregator: nothing is read to find out. A super-root costs the
 * same for one gateway and for a million.
 */
abstract contract SuperRoots is ISuperRoots, SignedRequests {
    /// @dev One slot, drawn in libraries/SuperHead.sol. A struct, so that its place is computed once.
    struct Epochs {
        SuperHead head;
    }

    bytes32 private constant SUPER_ROOT_TYPEHASH = keccak256(
        "SuperRoot(address aggregator,uint40 epoch,uint32 count,bytes32 root,uint256 deadline)"
    );

    mapping(address aggregator => Epochs) private _epochs;

    /// @inheritdoc ISuperRoots
    function anchorGateways(
        uint40 epoch,
        uint32 count,
        bytes32 root,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        _requireWellFormed(signer);
        address aggregator = Signers.id(signer);
        Epochs storage epochs = _epochs[aggregator];
        SuperHead head = _nextSuperHead(epochs.head, aggregator, epoch, count, root);
        _requireSigned(
            signer,
            keccak256(abi.encode(SUPER_ROOT_TYPEHASH, aggregator, epoch, count, root, deadline)),
            signature
        );

        epochs.head = head;
        emit SuperRooted(aggregator, epoch, count, root);
    }

    /// @inheritdoc ISuperRoots
    function anchorGatewaysByAccount(uint40 epoch, uint32 count, bytes32 root) external {
        Epochs storage epochs = _epochs[msg.sender];
        epochs.head = _nextSuperHead(epochs.head, msg.sender, epoch, count, root);
        emit SuperRooted(msg.sender, epoch, count, root);
    }

    /// @inheritdoc ISuperRoots
    function superHeadOf(address aggregator) external view returns (bytes32 word, uint40 epoch) {
        SuperHead head = _epochs[aggregator].head;
        return (bytes32(SuperHead.unwrap(head)), head.epoch());
    }

    /// @dev The head after a super-root that may follow the newest one.
    function _nextSuperHead(
        SuperHead head,
        address aggregator,
        uint40 epoch,
        uint32 count,
        bytes32 root
    ) private pure returns (SuperHead) {
        if (root == 0 || count == 0) revert SuperRootEmpty();
        uint256 expected = uint256(head.epoch()) + 1;
        if (epoch != expected) revert SuperRootOutOfEpoch(aggregator, expected, epoch);
        return head.next(epoch, count, root);
    }
}
