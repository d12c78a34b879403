// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Governed} from "./Governed.sol";
import {IBatchAnchors} from "./interfaces/IBatchAnchors.sol";
import {GatewayHead, GatewayHeadLib} from "./libraries/GatewayHead.sol";
import {Signers} from "./libraries/Signers.sol";
import {SuperRoots} from "./SuperRoots.sol";

/**
 * @title Gateways and the heads of their logs
 * @dev A gateway's word lies under its signer: who may overwrite it follows from where it lies, and an anchor touches one
 * slot, opened at registration. Pausing stops registrations alone: what a gateway has seen must be provable in bad times too.
 */
contract BatchAnchors is IBatchAnchors, SuperRoots, Governed {
    /// @dev One slot, drawn in libraries/GatewayHead.sol. A struct, so that its place is computed once.
    struct Log {
        GatewayHead head;
    }

    bytes32 private constant GATEWAY_REGISTRATION_TYPEHASH = keccak256(
        "GatewayRegistration(bytes32 gateway,bytes signer,bytes32 certificate,uint256 deadline)"
    );
    bytes32 private constant GATEWAY_ROTATION_TYPEHASH = keccak256(
        "GatewayRotation(bytes32 gateway,bytes newSigner,bytes32 certificate,uint256 deadline)"
    );
    bytes32 private constant GATEWAY_RETIREMENT_TYPEHASH = keccak256(
        "GatewayRetirement(bytes32 gateway,uint256 deadline)"
    );
    bytes32 private constant ANCHOR_TYPEHASH = keccak256(
        "Anchor(bytes32 gateway,uint32 sequence,uint40 treeSize,bytes32 root,uint256 deadline)"
    );

    mapping(address signer => mapping(bytes32 gateway => Log)) private _logs;

    constructor(address authority) EIP712("Salus BatchAnchors", "1") AccessManaged(authority) {}

    /// @inheritdoc IBatchAnchors
    function register(
        bytes calldata signer,
        bytes32 certificate,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external whenNotPaused returns (bytes32 gateway) {
        _requireInTime(deadline);
        _requireWellFormed(signer);
        if (certificate == 0) revert GatewayCertificateMissing();
        bytes32 signerHash = keccak256(signer);
        gateway = keccak256(abi.encode(signerHash, salt));
        Log storage log = _logs[Signers.id(signer)][gateway];
        if (!log.head.isUnknown()) revert GatewayAlreadyRegistered(gateway);
        _requireSigned(
            signer,
            keccak256(abi.encode(GATEWAY_REGISTRATION_TYPEHASH, gateway, signerHash, certificate, deadline)),
            signature
        );

        log.head = GatewayHeadLib.first(gateway, certificate);
        emit GatewayRegistered(gateway, signer, certificate);
    }

    /// @inheritdoc IBatchAnchors
    function rotate(
        bytes32 gateway,
        bytes calldata newSigner,
        bytes32 certificate,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature,
        bytes calldata newSignature
    ) external {
        _requireInTime(deadline);
        _requireWellFormed(newSigner);
        if (certificate == 0) revert GatewayCertificateMissing();
        Log storage log = _activeLog(Signers.id(signer), gateway);
        address newId = Signers.id(newSigner);
        // Words are never zero again, so a signer cannot come back: no old rotation has anything to lead to.
        if (!_logs[newId][gateway].head.isUnknown()) revert GatewaySignerUsed(gateway, newId);
        bytes32 newSignerHash = keccak256(newSigner);
        bytes32 structHash = keccak256(
            abi.encode(GATEWAY_ROTATION_TYPEHASH, gateway, newSignerHash, certificate, deadline)
        );
        _requireSigned(signer, structHash, signature);
        _requireSigned(newSigner, structHash, newSignature);

        _logs[newId][gateway].head = log.head.handedOn(newSignerHash, certificate);
        log.head = GatewayHeadLib.ENDED;
        emit GatewayRotated(gateway, newSigner, certificate);
    }

    /// @inheritdoc IBatchAnchors
    function retire(bytes32 gateway, uint256 deadline, bytes calldata signer, bytes calldata signature) external {
        _requireInTime(deadline);
        Log storage log = _activeLog(Signers.id(signer), gateway);
        _requireSigned(signer, keccak256(abi.encode(GATEWAY_RETIREMENT_TYPEHASH, gateway, deadline)), signature);

        log.head = GatewayHeadLib.ENDED;
        emit GatewayRetired(gateway);
    }

    /// @inheritdoc IBatchAnchors
    function anchor(
        bytes32 gateway,
        uint32 sequence,
        uint40 treeSize,
        bytes32 root,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        Log storage log = _activeLog(Signers.id(signer), gateway);
        GatewayHead head = _nextHead(log.head, gateway, sequence, treeSize, root);
        _requireSigned(
            signer,
            keccak256(abi.encode(ANCHOR_TYPEHASH, gateway, sequence, treeSize, root, deadline)),
            signature
        );

        log.head = head;
        emit Anchored(gateway, sequence, treeSize, root);
    }

    /// @inheritdoc IBatchAnchors
    function anchorByAccount(bytes32 gateway, uint32 sequence, uint40 treeSize, bytes32 root) external {
        Log storage log = _activeLog(msg.sender, gateway);
        log.head = _nextHead(log.head, gateway, sequence, treeSize, root);
        emit Anchored(gateway, sequence, treeSize, root);
    }

    /// @inheritdoc IBatchAnchors
    function headOf(
        address signer,
        bytes32 gateway
    ) external view returns (bytes32 word, uint32 sequence, uint40 treeSize) {
        GatewayHead head = _activeLog(signer, gateway).head;
        return (bytes32(GatewayHead.unwrap(head)), head.sequence(), head.treeSize());
    }

    /// @dev The word after an anchor that may follow the newest one.
    function _nextHead(
        GatewayHead head,
        bytes32 gateway,
        uint32 sequence,
        uint40 treeSize,
        bytes32 root
    ) private pure returns (GatewayHead) {
        if (root == 0) revert AnchorRootMissing();
        uint256 expected = uint256(head.sequence()) + 1;
        if (sequence != expected) revert AnchorOutOfSequence(gateway, expected, sequence);
        if (treeSize < head.treeSize()) revert AnchorTreeShrank(gateway, head.treeSize(), treeSize);
        return head.next(sequence, treeSize, root);
    }

    function _activeLog(address signer, bytes32 gateway) private view returns (Log storage log) {
        log = _logs[signer][gateway];
        if (log.head.isUnknown()) revert GatewayUnknown(gateway, signer);
        if (log.head.isEnded()) revert GatewayEnded(gateway, signer);
    }
}
