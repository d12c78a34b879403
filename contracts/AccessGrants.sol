// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAccessGrants} from "./interfaces/IAccessGrants.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {GrantTerms, GrantTermsLib} from "./libraries/GrantTerms.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title Who may read and write whose record, until when
 * @dev A grant's own slot is its replay guard: once written it is never zero again, so no nonce is needed and grants
 * can be submitted in any order.
 */
contract AccessGrants is IAccessGrants, SignedRequests {
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,bytes32 salt,uint32 epoch,uint256 deadline)"
    );
    bytes32 private constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 patient,bytes32 salt,uint256 deadline)"
    );
    bytes32 private constant CLAIM_TYPEHASH = keccak256("Claim(bytes32 grantId,uint8 usesLeft,uint256 deadline)");

    /// @inheritdoc IAccessGrants
    IPatientRegistry public immutable registry;

    mapping(bytes32 grantId => GrantTerms) private _grants;

    constructor(IPatientRegistry registry_) EIP712("Salus AccessGrants", "1") {
        registry = registry_;
    }

    /// @inheritdoc IAccessGrants
    function grant(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 grantId) {
        _requireInTime(deadline);
        _requireUsable(terms);
        if (scope == 0) revert GrantScopeMissing();
        grantId = keccak256(abi.encode(patient, salt));
        GrantTerms present = _grants[grantId];
        if (present.isRevoked()) revert GrantIsRevoked(grantId);
        if (!present.isUnopened()) revert GrantAlreadyOpened(grantId);
        _requireSignedByPatient(patient, _hashGrant(patient, terms, scope, salt, deadline), signature);

        _grants[grantId] = terms;
        emit Granted(patient, grantId, terms, scope);
    }

    /// @inheritdoc IAccessGrants
    function revoke(bytes32 patient, bytes32 salt, uint256 deadline, bytes calldata signature) external {
        _requireInTime(deadline);
        bytes32 grantId = keccak256(abi.encode(patient, salt));
        if (_grants[grantId].isRevoked()) revert GrantIsRevoked(grantId);
        _requireSignedByPatient(
            patient,
            keccak256(abi.encode(REVOCATION_TYPEHASH, patient, salt, deadline)),
            signature
        );

        _grants[grantId] = GrantTermsLib.REVOKED;
        emit Revoked(patient, grantId);
    }

    /// @inheritdoc IAccessGrants
    function claim(bytes32 grantId, bytes calldata signer, uint256 deadline, bytes calldata signature) external {
        _requireInTime(deadline);
        GrantTerms terms = _grants[grantId];
        if (!terms.isLiveAt(block.timestamp)) revert GrantNotLive(grantId);
        if (terms.uses() == GrantTermsLib.UNLIMITED_USES) revert GrantNotClaimable(grantId);
        address claimant = Signers.id(signer);
        if (claimant != terms.grantee()) revert GrantNotYours(grantId, claimant);
        uint8 usesLeft = terms.uses() - 1;
        _requireSigned(signer, keccak256(abi.encode(CLAIM_TYPEHASH, grantId, usesLeft, deadline)), signature);

        _grants[grantId] = terms.withUses(usesLeft);
        emit Claimed(grantId, usesLeft);
    }

    /// @inheritdoc IAccessGrants
    function termsOf(bytes32 grantId) external view returns (GrantTerms) {
        return _grants[grantId];
    }

    /// @inheritdoc IAccessGrants
    function isLive(bytes32 grantId, uint256 time) external view returns (bool) {
        return _grants[grantId].isLiveAt(time);
    }

    /// @dev Rights are checked here so that no opened grant can look like an unopened or revoked one.
    function _requireUsable(GrantTerms terms) private view {
        if (terms.grantee() == address(0)) revert GrantGranteeMissing();
        uint8 rights = terms.rights();
        if (rights == 0 || rights > GrantTermsLib.ALL_RIGHTS) revert GrantRightsInvalid(rights);
        if (terms.uses() == 0) revert GrantUsesMissing();
        (uint40 notBefore, uint40 expiresAt) = (terms.notBefore(), terms.expiresAt());
        if (notBefore >= expiresAt || block.timestamp >= expiresAt) revert GrantWindowEmpty(notBefore, expiresAt);
    }

    /// @dev The registry's epoch is part of what is signed: rotating a patient's signer voids what was not submitted.
    function _hashGrant(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        bytes32 salt,
        uint256 deadline
    ) private view returns (bytes32) {
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
                    salt,
                    registry.epochOf(patient),
                    deadline
                )
            );
    }

    function _requireSignedByPatient(bytes32 patient, bytes32 structHash, bytes calldata signature) private view {
        if (!registry.isSignedBy(patient, _hashTypedDataV4(structHash), signature)) revert RequestSignatureInvalid();
    }
}
