// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title One root for the heads of many gateways
 * @notice Anybody may be an aggregator: it collects heads that gateways signed, builds one tree over them
 * (docs/specs/super-root.md) and anchors its root once an epoch. It needs no trust: it can leave a gateway out, which then
 * anchors by itself, but it cannot speak for one.
 */
interface ISuperRoots is ISignedRequests {
    /// @notice An aggregator anchored a tree of heads.
    /// @param aggregator its address, or the one that stands for its signer
    /// @param epoch number of the super-root, from 1
    /// @param count heads in the tree
    /// @param root of the tree
    event SuperRooted(address indexed aggregator, uint40 indexed epoch, uint32 count, bytes32 root);

    /// @notice An aggregator's super-roots come in an unbroken sequence.
    /// @param aggregator the one who sent this one
    /// @param expected the only number accepted now
    /// @param actual as given
    error SuperRootOutOfEpoch(address aggregator, uint256 expected, uint256 actual);

    /// @notice A super-root stands for one head at least, and is never zero.
    error SuperRootEmpty();

    /// @notice Anchors many gateways: a tree of their heads. Signed:
    /// `SuperRoot(address aggregator,uint40 epoch,uint32 count,bytes32 root,uint256 deadline)`.
    /// @param epoch one more than the aggregator's last, 1 for its first
    /// @param count heads in the tree
    /// @param root of the tree
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the aggregator, in the form of ERC-7913
    /// @param signature of the aggregator
    function anchorGateways(
        uint40 epoch,
        uint32 count,
        bytes32 root,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Anchors many gateways: a tree of heads, whose aggregator is the sender and pays for it.
    /// @param epoch one more than the sender's last, 1 for its first
    /// @param count heads in the tree
    /// @param root of the tree
    function anchorGatewaysByAccount(uint40 epoch, uint32 count, bytes32 root) external;

    /// @notice The newest super-root of an aggregator; all zero before its first.
    /// @param aggregator its address, or the one that stands for its signer
    /// @return word the stored word: 216 bits of `keccak256(abi.encode(previous word, epoch, count, root))`, then the epoch
    /// @return epoch number of the newest super-root
    function superHeadOf(address aggregator) external view returns (bytes32 word, uint40 epoch);
}
