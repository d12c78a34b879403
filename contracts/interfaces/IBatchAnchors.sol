// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Gateways and the heads of their logs
 * @notice Each gateway keeps one append-only tree of readings and anchors its root under an exact sequence. Only one word
 * is stored; it holds a hash over all anchors before it, so replaying the events proves that none is missing.
 */
interface IBatchAnchors is ISignedRequests {
    /// @notice A gateway came to exist.
    /// @param gateway its id, `keccak256(abi.encode(keccak256(signer), salt))`
    /// @param signer who signs for it, in the form of ERC-7913
    /// @param certificate keccak-256 of its encoded public keys
    event GatewayRegistered(bytes32 indexed gateway, bytes signer, bytes32 certificate);

    /// @notice A gateway has a new signer, and new public keys if their digest differs.
    /// @param gateway its id, which stays
    /// @param newSigner who signs for it from now on, in the form of ERC-7913
    /// @param certificate keccak-256 of its encoded public keys
    event GatewayRotated(bytes32 indexed gateway, bytes newSigner, bytes32 certificate);

    /// @notice A gateway ended; its anchors stay.
    /// @param gateway its id
    event GatewayRetired(bytes32 indexed gateway);

    /// @notice A gateway anchored its tree.
    /// @param gateway its id
    /// @param sequence number of the anchor, from 1
    /// @param treeSize leaves in the tree
    /// @param root of the tree
    event Anchored(bytes32 indexed gateway, uint32 indexed sequence, uint40 treeSize, bytes32 root);

    /// @notice The id exists already; take another salt.
    /// @param gateway the id
    error GatewayAlreadyRegistered(bytes32 gateway);

    /// @notice The signer has no such gateway on this chain, and never had.
    /// @param gateway the id
    /// @param signer the address that stands for the signer
    error GatewayUnknown(bytes32 gateway, address signer);

    /// @notice The signer handed the gateway on, or retired it, for ever.
    /// @param gateway the id
    /// @param signer the address that stands for the signer
    error GatewayEnded(bytes32 gateway, address signer);

    /// @notice The new signer has, or had, this gateway already; take a fresh key.
    /// @param gateway the id
    /// @param signer the address that stands for the new signer
    error GatewaySignerUsed(bytes32 gateway, address signer);

    /// @notice A certificate's digest is never zero.
    error GatewayCertificateMissing();

    /// @notice Anchors come in an unbroken sequence.
    /// @param gateway the id
    /// @param expected the only number accepted now
    /// @param actual as given
    error AnchorOutOfSequence(bytes32 gateway, uint256 expected, uint256 actual);

    /// @notice An append-only tree never loses leaves.
    /// @param gateway the id
    /// @param anchored leaves at the last anchor
    /// @param actual as given
    error AnchorTreeShrank(bytes32 gateway, uint256 anchored, uint256 actual);

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

    /// @notice Hands a gateway to a new signer. Signed by both:
    /// `GatewayRotation(bytes32 gateway,bytes newSigner,bytes32 certificate,uint256 deadline)`.
    /// @param gateway the id, which stays
    /// @param newSigner who will sign for the gateway, in the form of ERC-7913
    /// @param certificate keccak-256 of its encoded public keys from now on; the old one if they stay
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the present one, in the form of ERC-7913
    /// @param signature of the present signer
    /// @param newSignature of the new signer
    function rotate(
        bytes32 gateway,
        bytes calldata newSigner,
        bytes32 certificate,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature,
        bytes calldata newSignature
    ) external;

    /// @notice Ends a gateway for ever. Signed: `GatewayRetirement(bytes32 gateway,uint256 deadline)`.
    /// @param gateway the id
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the gateway's, in the form of ERC-7913
    /// @param signature of the gateway's signer
    function retire(bytes32 gateway, uint256 deadline, bytes calldata signer, bytes calldata signature) external;

    /// @notice Anchors a gateway's tree. Signed:
    /// `Anchor(bytes32 gateway,uint32 sequence,uint40 treeSize,bytes32 root,uint256 deadline)`.
    /// @param gateway the id
    /// @param sequence one more than the last, 1 for the first
    /// @param treeSize leaves in the tree, never fewer than before
    /// @param root of the tree
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the gateway's, in the form of ERC-7913
    /// @param signature of the gateway's signer
    function anchor(
        bytes32 gateway,
        uint32 sequence,
        uint40 treeSize,
        bytes32 root,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Anchors the tree of a gateway whose signer is the sender, who pays for it.
    /// @param gateway the id
    /// @param sequence one more than the last, 1 for the first
    /// @param treeSize leaves in the tree, never fewer than before
    /// @param root of the tree
    function anchorByAccount(bytes32 gateway, uint32 sequence, uint40 treeSize, bytes32 root) external;

    /// @notice The newest anchor of a gateway. Reverts with {GatewayUnknown} or {GatewayEnded} if the signer does not, or no
    /// more, sign for it.
    /// @param signer the address that stands for the gateway's signer
    /// @param gateway the id
    /// @return word the stored word: 184 bits of a hash over the whole log, 40 bits of `treeSize`, 32 of `sequence`. The hash
    /// is of `abi.encode(gateway, certificate)` at first; then, over the word before, of
    /// `abi.encode(word, sequence, treeSize, root)` at an anchor and `abi.encode(word, keccak256(newSigner), certificate)` at
    /// a rotation
    /// @return sequence number of the newest anchor, 0 before the first
    /// @return treeSize leaves in its tree
    function headOf(
        address signer,
        bytes32 gateway
    ) external view returns (bytes32 word, uint32 sequence, uint40 treeSize);
}
