// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IBatchAnchors} from "./interfaces/IBatchAnchors.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title Gateways and the heads of their logs
/// @dev An anchor overwrites two slots and opens none: its gas does not depend on how long the gateway has lived.
contract BatchAnchors is IBatchAnchors, SignedRequests {
    struct Gateway {
        bytes signer;
        bytes32 certificate;
        bytes32 head;
        uint64 sequence;
        uint64 treeSize;
        uint64 time;
    }

    bytes32 private constant GATEWAY_REGISTRATION_TYPEHASH = keccak256(
        "GatewayRegistration(bytes32 gateway,bytes signer,bytes32 certificate,uint256 deadline)"
    );
    bytes32 private constant ANCHOR_TYPEHASH = keccak256(
        "Anchor(bytes32 gateway,uint64 sequence,uint64 treeSize,bytes32 root,uint256 deadline)"
    );

    mapping(bytes32 gateway => Gateway) private _gateways;

    constructor() EIP712("Salus BatchAnchors", "1") {}

    /// @inheritdoc IBatchAnchors
    function register(
        bytes calldata signer,
        bytes32 certificate,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 gateway) {
        _requireInTime(deadline);
        _requireWellFormed(signer);
        if (certificate == 0) revert GatewayCertificateMissing();
        bytes32 signerHash = keccak256(signer);
        gateway = keccak256(abi.encode(signerHash, salt));
        Gateway storage entry = _gateways[gateway];
        if (entry.certificate != 0) revert GatewayAlreadyRegistered(gateway);
        _requireSigned(
            signer,
            keccak256(abi.encode(GATEWAY_REGISTRATION_TYPEHASH, gateway, signerHash, certificate, deadline)),
            signature
        );

        entry.signer = signer;
        entry.certificate = certificate;
        emit GatewayRegistered(gateway, signer, certificate);
    }

    /// @inheritdoc IBatchAnchors
    function anchor(
        bytes32 gateway,
        uint64 sequence,
        uint64 treeSize,
        bytes32 root,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        if (root == 0) revert AnchorRootMissing();
        Gateway storage entry = _known(gateway);
        (uint64 lastSequence, uint64 lastTreeSize) = (entry.sequence, entry.treeSize);
        if (sequence != lastSequence + 1) revert AnchorOutOfSequence(gateway, lastSequence + 1, sequence);
        if (treeSize < lastTreeSize) revert AnchorTreeShrank(gateway, lastTreeSize, treeSize);
        _requireSigned(
            entry.signer,
            keccak256(abi.encode(ANCHOR_TYPEHASH, gateway, sequence, treeSize, root, deadline)),
            signature
        );

        bytes32 head = keccak256(abi.encode(entry.head, sequence, treeSize, root));
        entry.head = head;
        entry.sequence = sequence;
        entry.treeSize = treeSize;
        entry.time = uint64(block.timestamp);
        emit Anchored(gateway, sequence, treeSize, root, head);
    }

    /// @inheritdoc IBatchAnchors
    function gatewayOf(bytes32 gateway) external view returns (bytes memory signer, bytes32 certificate) {
        Gateway storage entry = _known(gateway);
        return (entry.signer, entry.certificate);
    }

    /// @inheritdoc IBatchAnchors
    function headOf(
        bytes32 gateway
    ) external view returns (bytes32 head, uint64 sequence, uint64 treeSize, uint64 time) {
        Gateway storage entry = _known(gateway);
        return (entry.head, entry.sequence, entry.treeSize, entry.time);
    }

    /// @dev A registered gateway always has a certificate, so an empty one marks an unknown id.
    function _known(bytes32 gateway) private view returns (Gateway storage entry) {
        entry = _gateways[gateway];
        if (entry.certificate == 0) revert GatewayUnknown(gateway);
    }
}
