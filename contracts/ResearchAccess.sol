// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {IResearchAccess} from "./interfaces/IResearchAccess.sol";
import {DataUse, Purpose} from "./libraries/DataUse.sol";
import {Stewarded} from "./Stewarded.sol";

/// @title Who may open the releases that are not public
/// @dev An access is one slot, which is its replay guard: once written it is never zero again.
abstract contract ResearchAccess is IResearchAccess, Stewarded {
    bytes32 private constant RESEARCH_ACCESS_TYPEHASH = keccak256(
        "ResearchAccess(uint48 release,address researcher,bytes32 agreement,uint32 purpose,uint40 expiresAt,uint256 deadline)"
    );
    bytes32 private constant RESEARCH_ACCESS_REVOCATION_TYPEHASH = keccak256(
        "ResearchAccessRevocation(bytes32 access,uint256 deadline)"
    );

    /// @dev Releases of this tier and above need an access.
    uint8 private constant FIRST_CLOSED_TIER = 2;

    /// @dev An access that everybody forgot ends by itself; one that is still needed is agreed on again.
    uint256 private constant MAX_ACCESS = 5 * 365 days;

    mapping(bytes32 access => Access) private _accesses;

    /// @inheritdoc IResearchAccess
    function grantAccess(
        AccessTerms calldata terms,
        KeySet calldata set,
        Approval[] calldata approvals,
        bytes calldata researcher,
        bytes calldata acceptance
    ) external whenNotPaused returns (bytes32 access) {
        _requireInTime(terms.deadline);
        if (terms.expiresAt <= block.timestamp || terms.expiresAt > block.timestamp + MAX_ACCESS)
            revert AccessMalformed();
        if (terms.agreement == 0) revert AccessMalformed();
        access = keccak256(abi.encode(terms.release, terms.researcher, terms.agreement));
        if (_accesses[access].isRevoked) revert AccessIsRevoked(access);
        if (_accesses[access].researcher != address(0)) revert AccessAlreadyGiven(access);
        _requireWithin(terms);
        // Every field of the terms is static, so their encoding is the struct's, in the order of its type.
        bytes32 structHash = keccak256(abi.encode(RESEARCH_ACCESS_TYPEHASH, terms));
        _requireStewards(set, structHash, approvals);
        _requireSignedBy(terms.researcher, researcher, structHash, acceptance);

        _accesses[access] = Access(terms.researcher, terms.expiresAt, false, terms.release);
        emit AccessGranted(access, terms.release, researcher, terms.agreement, terms.purpose, terms.expiresAt);
    }

    /// @inheritdoc IResearchAccess
    function revokeAccess(bytes32 access, uint256 deadline, KeySet calldata set, Approval calldata approval) external {
        _requireInTime(deadline);
        if (_accesses[access].isRevoked) revert AccessIsRevoked(access);
        _requireSteward(set, keccak256(abi.encode(RESEARCH_ACCESS_REVOCATION_TYPEHASH, access, deadline)), approval);

        _accesses[access].isRevoked = true;
        emit AccessRevoked(access);
    }

    /// @inheritdoc IResearchAccess
    function accessOf(bytes32 access) external view returns (Access memory) {
        return _accesses[access];
    }

    /// @inheritdoc IResearchAccess
    function isAccessLive(bytes32 access, uint256 time) external view returns (bool) {
        Access memory entry = _accesses[access];
        if (entry.isRevoked || time >= entry.expiresAt) return false;
        return _release(entry.release).status == IReleaseRegistry.ReleaseStatus.Live;
    }

    /// @inheritdoc IResearchAccess
    function isPurposeAllowed(DataUse dataUse, Purpose purpose) external pure returns (bool) {
        return dataUse.allows(purpose);
    }

    /// @dev What is kept of a release.
    function _release(uint48 release) internal view virtual returns (IReleaseRegistry.Release memory);

    function _requireWithin(AccessTerms calldata terms) private view {
        IReleaseRegistry.Release memory release = _release(terms.release);
        if (release.status != IReleaseRegistry.ReleaseStatus.Live || release.tier < FIRST_CLOSED_TIER)
            revert ReleaseGivesNoAccess(terms.release);
        if (!release.dataUse.allows(terms.purpose)) revert PurposeNotAllowed(release.dataUse, terms.purpose);
    }
}
