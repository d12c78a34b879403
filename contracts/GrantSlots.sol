// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessGrants} from "./interfaces/IAccessGrants.sol";
import {GrantTerms} from "./libraries/GrantTerms.sol";
import {PatientRegistry} from "./PatientRegistry.sol";

/**
 * @title One slot for each grant: its terms, or the tombstone of its revocation
 * @dev The slot is the replay guard: once written it is never zero again, so no nonce is needed and grants can be
 * submitted in any order. It lies in the patients' contract because reading a patient in another one costs more than
 * the whole check of a grant.
 */
abstract contract GrantSlots is IAccessGrants, PatientRegistry {
    mapping(bytes32 grantId => GrantTerms) internal _grants;

    /// @dev Reverts unless the grant's slot has never been written.
    function _requireUnopened(bytes32 grantId) internal view {
        GrantTerms present = _grants[grantId];
        if (present.isUnopened()) return;
        if (present.isRevoked()) revert GrantIsRevoked(grantId);
        revert GrantAlreadyOpened(grantId);
    }

    /// @dev Rights are checked here so that no opened grant can look like an unopened or revoked one.
    function _requireUsable(GrantTerms terms, bytes32 scope) internal view {
        if (scope == 0) revert GrantScopeMissing();
        if (terms.grantee() == address(0)) revert GrantGranteeMissing();
        if (!terms.hasKnownRights()) revert GrantRightsInvalid(terms.rights());
        if (terms.uses() == 0) revert GrantUsesMissing();
        (uint40 notBefore, uint40 expiresAt) = (terms.notBefore(), terms.expiresAt());
        if (notBefore >= expiresAt || block.timestamp >= expiresAt) revert GrantWindowEmpty(notBefore, expiresAt);
    }

    /// @dev A scope is a digest with a random salt in it, so it makes the id unique and keeps it from being guessed.
    function _grantIdOf(bytes32 patient, bytes32 scope) internal pure returns (bytes32) {
        return keccak256(abi.encode(patient, scope));
    }
}
