// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Gateways and the heads of their logs
 * @notice Each gateway keeps one append-only tree of readings and anchors its root under an exact sequence. Only the
 * newest head is stored; it is a hash over all anchors before it, so replaying the events proves that none is missing.
 */
interface IBatchAnchors is ISignedRequests {
    /// @notice A gateway came to exist.
    /// @param gateway its id, `keccak256(abi.encode(keccak256(signer), salt))`
    /// @param signer who signs for it, in the form of ERC-7913
    /// @param certificate keccak-256 of its encoded public keys
    event GatewayRegistered(bytes32 indexed gateway, bytes signer, bytes32 certificate);

    /// @notice A gateway anchored its tree.
    /// @param gateway its id
    /// @param sequence number of the anchor, from 1
    /// @param treeSize leaves in the tree
    /// @param root of the tree
    /// @param head `keccak256(abi.encode(previous head, sequence, treeSize, root))`
    event Anchored(bytes32 indexed gateway, uint64 indexed sequence, uint64 treeSize, bytes32 root, bytes32 head);

    /// @notice The id exists already; take another salt.
    /// @param gateway the id
    error GatewayAlreadyRegistered(bytes32 gateway);

    /// @notice No such gateway on this chain.
    /// @param gateway the id
    error GatewayUnknown(bytes32 gateway);

    /// @notice A certificate's digest is never zero.
    error GatewayCertificateMissing();

    /// @notice Anchors come in an unbroken sequence.
    /// @param gateway the id
    /// @param expected the only number accepted now
    /// @param actual as given
    error AnchorOutOfSequence(bytes32 gateway, uint64 expected, uint64 actual);

    /// @notice An append-only tree never loses leaves.
    /// @param gateway the id
    /// @param anchored leaves at the last anchor
    /// @param actual as given
    error AnchorTreeShrank(bytes32 gateway, uint64 anchored, uint64 actual);

    /// @notice A root is never zero, not even the root of an empty tree.
    error AnchorRootMissing();

    /// @notice Creates a gateway id. Signed:
    /// `GatewayRegistration(bytes32 gateway,bytes signer,bytes32 certificate,uint256 deadline)`.
    /// @param signer who will sign for the gateway, in the form of ERC-7913
    /// @param certificate keccak-256 of its encoded public keys
    /// @param salt random
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signature of `signer`
    /// @return gateway the new id, `keccak256(abi.encode(keccak256(signer), salt))`
    function register(
        bytes calldata signer,
        bytes32 certificate,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 gateway);

    /// @notice Anchors a gateway's tree. Signed:
    /// `Anchor(bytes32 gateway,uint64 sequence,uint64 treeSize,bytes32 root,uint256 deadline)`.
    /// @param gateway the id
    /// @param sequence one more than the last, 1 for the first
    /// @param treeSize leaves in the tree, never fewer than before
    /// @param root of the tree
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signature of the gateway's signer
    function anchor(
        bytes32 gateway,
        uint64 sequence,
        uint64 treeSize,
        bytes32 root,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Who signs for a gateway, and its keys. Reverts with {GatewayUnknown}, as every view here.
    /// @param gateway the id
    /// @return signer in the form of ERC-7913
    /// @return certificate keccak-256 of its encoded public keys
    function gatewayOf(bytes32 gateway) external view returns (bytes memory signer, bytes32 certificate);

    /// @notice The newest anchor of a gateway.
    /// @param gateway the id
    /// @return head hash over all its anchors; 0 before the first
    /// @return sequence number of the newest anchor; 0 before the first
    /// @return treeSize leaves in its tree
    /// @return time of its block, in seconds since 1970
    function headOf(
        bytes32 gateway
    ) external view returns (bytes32 head, uint64 sequence, uint64 treeSize, uint64 time);
}
