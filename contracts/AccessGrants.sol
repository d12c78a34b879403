// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AccessRequests} from "./AccessRequests.sol";
import {GrantBatches} from "./GrantBatches.sol";
import {IAccessGrants} from "./interfaces/IAccessGrants.sol";
import {GrantHash} from "./libraries/GrantHash.sol";
import {GrantTerms, GrantTermsLib} from "./libraries/GrantTerms.sol";
import {PatientWord} from "./libraries/PatientWord.sol";
import {Signers} from "./libraries/Signers.sol";
import {PatientRecovery} from "./PatientRecovery.sol";

/**
 * @title Patients, and who may read and write whose record, until when
 * @dev Governance can stop new registrations and grants for a while. Revoking and claiming always work, and nobody
 * but a patient can grant or revoke for it.
 */
contract AccessGrants is GrantBatches, PatientRecovery, AccessRequests {
    bytes32 private constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 patient,bytes32 scope,uint256 deadline)"
    );
    bytes32 private constant CLAIM_TYPEHASH = keccak256("Claim(bytes32 grantId,uint8 usesLeft,uint256 deadline)");

    /// @dev The domain on the chain of deployment; what EIP712 caches, it also compares with its own address.
    bytes32 private immutable _cachedDomain;
    uint256 private immutable _cachedChainId;

    constructor(address authority) EIP712("Salus AccessGrants", "1") AccessManaged(authority) {
        _cachedDomain = _domainSeparatorV4();
        _cachedChainId = block.chainid;
    }

    /// @inheritdoc IAccessGrants
    function grant(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireOpenable(terms, deadline);
        PatientWord word = _known(patient);
        _requireSignedBy(
            word.signer(),
            signer,
            GrantHash.structHash(patient, terms, scope, word.epoch(), deadline),
            signature
        );

        _open(patient, terms, scope);
    }

    /// @inheritdoc IAccessGrants
    function grantWithAccount(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes32 r,
        bytes32 vs
    ) external {
        _requireOpenable(terms, deadline);
        PatientWord word = _patients[patient];
        if (!GrantHash.isSignedBy(_domain(), patient, word, terms, scope, deadline, r, vs)) {
            _known(patient);
            revert RequestSignatureInvalid();
        }

        _open(patient, terms, scope);
    }

    /// @inheritdoc IAccessGrants
    function revoke(
        bytes32 patient,
        bytes32 scope,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        _requireSignedBy(
            _known(patient).signer(),
            signer,
            keccak256(abi.encode(REVOCATION_TYPEHASH, patient, scope, deadline)),
            signature
        );

        _revoke(patient, scope);
    }

    /// @inheritdoc IAccessGrants
    function revokeByAccount(bytes32 patient, bytes32 scope) external {
        _requireSender(_known(patient).signer());
        _revoke(patient, scope);
    }

    /// @inheritdoc IAccessGrants
    function claim(bytes32 grantId, bytes calldata signer, uint256 deadline, bytes calldata signature) external {
        _requireInTime(deadline);
        (GrantTerms terms, uint8 usesLeft) = _claimable(grantId, Signers.id(signer));
        _requireSigned(signer, keccak256(abi.encode(CLAIM_TYPEHASH, grantId, usesLeft, deadline)), signature);

        _claim(grantId, terms, usesLeft);
    }

    /// @inheritdoc IAccessGrants
    function claimByAccount(bytes32 grantId) external {
        (GrantTerms terms, uint8 usesLeft) = _claimable(grantId, msg.sender);
        _claim(grantId, terms, usesLeft);
    }

    /// @inheritdoc IAccessGrants
    function termsOf(bytes32 grantId) external view returns (GrantTerms) {
        return _slots[grantId].terms;
    }

    /// @inheritdoc IAccessGrants
    function isLive(bytes32 grantId, uint256 time) external view returns (bool) {
        return _slots[grantId].terms.isLiveAt(time);
    }

    function _revoke(bytes32 patient, bytes32 scope) private {
        bytes32 grantId = _grantIdOf(patient, scope);
        Slot storage slot = _slots[grantId];
        if (slot.terms.isRevoked()) revert GrantIsRevoked(grantId);
        slot.terms = GrantTermsLib.REVOKED;
        emit Revoked(patient, grantId);
    }

    function _claimable(bytes32 grantId, address claimant) private view returns (GrantTerms terms, uint8 usesLeft) {
        terms = _slots[grantId].terms;
        if (!terms.isLiveAt(block.timestamp)) revert GrantNotLive(grantId);
        if (terms.uses() == GrantTermsLib.UNLIMITED_USES) revert GrantNotClaimable(grantId);
        if (claimant != terms.grantee()) revert GrantNotYours(grantId, claimant);
        usesLeft = terms.uses() - 1;
    }

    function _claim(bytes32 grantId, GrantTerms terms, uint8 usesLeft) private {
        _slots[grantId].terms = terms.withUses(usesLeft);
        emit Claimed(grantId, usesLeft);
    }

    function _domain() private view returns (bytes32) {
        return block.chainid == _cachedChainId ? _cachedDomain : _domainSeparatorV4();
    }
}
