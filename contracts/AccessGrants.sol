// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {GrantSlots} from "./GrantSlots.sol";
import {IAccessGrants} from "./interfaces/IAccessGrants.sol";
import {GrantTerms, GrantTermsLib} from "./libraries/GrantTerms.sol";
import {PatientWord} from "./libraries/PatientWord.sol";
import {Signers} from "./libraries/Signers.sol";

/**
 * @title Patients, and who may read and write whose record, until when
 * @dev Governance can stop new registrations and grants for a while. Revoking and claiming always work, and nobody
 * but a patient can grant or revoke for it.
 */
contract AccessGrants is GrantSlots {
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,uint32 epoch,uint256 deadline)"
    );
    bytes32 private constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 patient,bytes32 scope,uint256 deadline)"
    );
    bytes32 private constant CLAIM_TYPEHASH = keccak256("Claim(bytes32 grantId,uint8 usesLeft,uint256 deadline)");

    constructor(address authority) EIP712("Salus AccessGrants", "1") AccessManaged(authority) {}

    /// @inheritdoc IAccessGrants
    function grant(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external whenNotPaused {
        _requireInTime(deadline);
        _requireUsable(terms, scope);
        PatientWord word = _known(patient);
        _requireSignedBy(
            word.signer(),
            signer,
            _hashGrant(patient, terms, scope, word.epoch(), deadline),
            signature
        );

        _open(patient, terms, scope);
    }

    /// @inheritdoc IAccessGrants
    function grantByAccount(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes32 r,
        bytes32 vs
    ) external whenNotPaused {
        _requireInTime(deadline);
        _requireUsable(terms, scope);
        PatientWord word = _known(patient);
        bytes32 digest = _hashTypedDataV4(_hashGrant(patient, terms, scope, word.epoch(), deadline));
        // An invalid signature recovers the zero address, which is never a known patient's signer.
        (address recovered, , ) = ECDSA.tryRecover(digest, r, vs);
        if (recovered != word.signer()) revert RequestSignatureInvalid();

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
        return _grants[grantId];
    }

    /// @inheritdoc IAccessGrants
    function isLive(bytes32 grantId, uint256 time) external view returns (bool) {
        return _grants[grantId].isLiveAt(time);
    }

    function _open(bytes32 patient, GrantTerms terms, bytes32 scope) private {
        bytes32 grantId = _grantIdOf(patient, scope);
        _requireUnopened(grantId);
        _grants[grantId] = terms;
        emit Granted(patient, grantId, terms);
    }

    function _revoke(bytes32 patient, bytes32 scope) private {
        bytes32 grantId = _grantIdOf(patient, scope);
        if (_grants[grantId].isRevoked()) revert GrantIsRevoked(grantId);
        _grants[grantId] = GrantTermsLib.REVOKED;
        emit Revoked(patient, grantId);
    }

    function _claimable(bytes32 grantId, address claimant) private view returns (GrantTerms terms, uint8 usesLeft) {
        terms = _grants[grantId];
        if (!terms.isLiveAt(block.timestamp)) revert GrantNotLive(grantId);
        if (terms.uses() == GrantTermsLib.UNLIMITED_USES) revert GrantNotClaimable(grantId);
        if (claimant != terms.grantee()) revert GrantNotYours(grantId, claimant);
        usesLeft = terms.uses() - 1;
    }

    function _claim(bytes32 grantId, GrantTerms terms, uint8 usesLeft) private {
        _grants[grantId] = terms.withUses(usesLeft);
        emit Claimed(grantId, usesLeft);
    }

    /// @dev The epoch is part of what is signed: a new signer voids what the old one signed and nobody submitted.
    function _hashGrant(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint32 epoch,
        uint256 deadline
    ) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    GRANT_TYPEHASH,
                    patient,
                    terms.grantee(),
                    terms.notBefore(),
                    terms.expiresAt(),
                    terms.rights(),
                    terms.uses(),
                    scope,
                    epoch,
                    deadline
                )
            );
    }
}
