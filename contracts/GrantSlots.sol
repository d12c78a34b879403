// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
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
    /// @dev A struct, so that its place is hashed once where it is read and written.
    struct Slot {
        GrantTerms terms;
    }

    mapping(bytes32 grantId => Slot) internal _slots;

    /// @dev Writes the grant's slot; reverts if it was written before.
    function _open(bytes32 patient, GrantTerms terms, bytes32 scope) internal {
        bytes32 grantId = _grantIdOf(patient, scope);
        Slot storage slot = _slots[grantId];
        if (!slot.terms.isUnopened()) _revertOpened(grantId, slot.terms);
        slot.terms = terms;
        emit Granted(patient, grantId, terms);
    }

    /// @dev Reverts unless the grant's slot has never been written.
    function _requireUnopened(bytes32 grantId) internal view {
        GrantTerms present = _slots[grantId].terms;
        if (!present.isUnopened()) _revertOpened(grantId, present);
    }

    /// @dev Reverts unless grants can be opened now, by this deadline, with these terms. No opened grant can look like
    /// an unopened or revoked one, since it has rights. Every grant pays for this, so what is wrong with the terms is
    /// looked for afterwards.
    function _requireOpenable(GrantTerms terms, uint256 deadline) internal view {
        if (paused()) revert EnforcedPause();
        if (!_isInTime(deadline)) _requireInTime(deadline);
        if (!terms.isUsableAt(block.timestamp)) _revertUnusable(terms);
    }

    function _revertUnusable(GrantTerms terms) private pure {
        if (terms.grantee() == address(0)) revert GrantGranteeMissing();
        if (!terms.hasKnownRights()) revert GrantRightsInvalid(terms.rights());
        if (terms.uses() == 0) revert GrantUsesMissing();
        revert GrantWindowEmpty(terms.notBefore(), terms.expiresAt());
    }

    /// @dev A scope is a digest with a random salt in it, so it makes the id unique and keeps it from being guessed.
    function _grantIdOf(bytes32 patient, bytes32 scope) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(patient, scope);
    }

    function _revertOpened(bytes32 grantId, GrantTerms present) private pure {
        if (present.isRevoked()) revert GrantIsRevoked(grantId);
        revert GrantAlreadyOpened(grantId);
    }
}
