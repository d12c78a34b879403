// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeySets} from "./IKeySets.sol";

/**
 * @title Who holds the shares that open additional identifiers
 * @notice Auditors are named by governance, after its delay, each for an organisation. A threshold of them from at least
 * three organisations opens a row together; a smaller number of them stops it.
 */
interface IAudited is IKeySets {
    /// @notice The auditors, as their digest stands for them.
    /// @param ids of their signers, in the order of their index
    /// @param organisations of each, as a salted digest
    /// @param threshold how many shares open a row, at least 3
    /// @param objectors how many objections stop a warrant
    struct AuditorSet {
        address[] ids;
        bytes32[] organisations;
        uint8 threshold;
        uint8 objectors;
    }

    /// @notice Other auditors are in force; warrants that were opened before can no longer be used.
    /// @param version number of the set, from 1
    /// @param digest of the set, `keccak256(abi.encode(ids, organisations, threshold, objectors))`
    /// @param signers the auditors, in the form of ERC-7913
    /// @param organisations of each
    /// @param threshold how many shares open a row
    /// @param objectors how many objections stop a warrant
    event AuditorsSet(
        uint16 indexed version,
        bytes32 digest,
        bytes[] signers,
        bytes32[] organisations,
        uint8 threshold,
        uint8 objectors
    );

    /// @notice An auditor has no organisation, there are fewer than three, or the numbers do not fit: a threshold of 3 at
    /// least, and beside it as many auditors again as can stop a warrant.
    error AuditorsMalformed();

    /// @notice Names the auditors. For governance alone, after its delay.
    /// @param signers the auditors, in the form of ERC-7913, at most 16
    /// @param organisations of each, as a salted digest; at least three different ones
    /// @param threshold how many shares open a row, at least 3
    /// @param objectors how many objections stop a warrant, at least 1
    function setAuditors(
        bytes[] calldata signers,
        bytes32[] calldata organisations,
        uint8 threshold,
        uint8 objectors
    ) external;

    /// @notice Who the auditors are.
    /// @return version number of the set; 0 before the first
    /// @return digest of the set
    function auditors() external view returns (uint16 version, bytes32 digest);
}
