// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IAudited} from "./interfaces/IAudited.sol";
import {KeySets} from "./libraries/KeySets.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title A contract whose steps are taken by auditors of several organisations
abstract contract Audited is IAudited, Governed, SignedRequests {
    /// @dev No two organisations open a row between them.
    uint256 internal constant LEAST_ORGANISATIONS = 3;

    uint16 internal _version;
    mapping(uint16 version => bytes32) private _digests;

    /// @inheritdoc IAudited
    function setAuditors(
        bytes[] calldata signers,
        bytes32[] calldata organisations,
        uint8 threshold,
        uint8 objectors
    ) external restricted {
        address[] memory ids = KeySets.idsOf(signers, 1);
        bool fits =
            organisations.length == ids.length &&
                threshold >= LEAST_ORGANISATIONS &&
                objectors > 0 &&
                uint256(threshold) + objectors <= ids.length;
        if (!fits || _countOrganisations(organisations, type(uint16).max) < LEAST_ORGANISATIONS)
            revert AuditorsMalformed();

        bytes32 digest = keccak256(abi.encode(ids, organisations, threshold, objectors));
        _digests[++_version] = digest;
        emit AuditorsSet(_version, digest, signers, organisations, threshold, objectors);
    }

    /// @inheritdoc IAudited
    function auditors() external view returns (uint16 version, bytes32 digest) {
        return (_version, _digests[_version]);
    }

    /// @dev Reverts unless `set` is the one in force.
    function _requireAuditors(AuditorSet calldata set) internal view {
        _requireAuditorsOf(_version, set);
    }

    /// @dev Reverts unless `set` is the one that had this version.
    function _requireAuditorsOf(uint16 version, AuditorSet calldata set) internal view {
        bytes32 given = keccak256(abi.encode(set.ids, set.organisations, set.threshold, set.objectors));
        bytes32 expected = _digests[version];
        if (given != expected) revert SignerSetMismatch(expected);
    }

    /// @dev Reverts unless one auditor of the set in force signed the struct of this hash.
    /// @return place a bit for its index
    function _requireAuditor(
        AuditorSet calldata set,
        bytes32 structHash,
        Approval calldata approval
    ) internal view returns (uint16 place) {
        _requireAuditors(set);
        KeySets.requireApproval(set.ids, _hashTypedDataV4(structHash), approval);
        return uint16(1 << approval.index);
    }

    /// @dev How many different organisations these auditors come from, a bit for each that counts. None is zero.
    function _countOrganisations(
        bytes32[] calldata organisations,
        uint16 places
    ) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < organisations.length; ++i) {
            if (organisations[i] == 0) revert AuditorsMalformed();
            if (places & (1 << i) == 0) continue;
            bool isNew = true;
            for (uint256 j = 0; j < i; ++j)
                if (places & (1 << j) != 0 && organisations[j] == organisations[i]) isNew = false;
            if (isNew) ++count;
        }
    }
}
