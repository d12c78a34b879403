// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts ask about organisations
interface IOrganisations {
    /// @notice Whether governance vouches for an organisation now.
    /// @param organisation its id
    /// @return accredited false also for an unknown one
    function isAccredited(bytes32 organisation) external view returns (bool accredited);

    /// @notice Who signs for an organisation, also while it is suspended.
    /// @param organisation its id
    /// @return id the address that stands for its signer
    function signerOf(bytes32 organisation) external view returns (address id);
}
