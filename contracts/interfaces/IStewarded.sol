// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeySets} from "./IKeySets.sol";

/**
 * @title Who vouches for research releases
 * @notice Stewards are named by governance, after its delay. Any threshold of them lets something happen; a single one
 * can stop it.
 */
interface IStewarded is IKeySets {
    /// @notice Other stewards are in force; what the former ones signed and nobody submitted is void.
    /// @param digest of the set, `keccak256(abi.encode(address[] ids, uint8 threshold))`
    /// @param signers the stewards, in the form of ERC-7913
    /// @param threshold how many of them it takes
    event StewardsSet(bytes32 indexed digest, bytes[] signers, uint8 threshold);

    /// @notice Names the stewards. For governance alone, after its delay.
    /// @param signers the stewards, in the form of ERC-7913, 2 to 16
    /// @param threshold how many of them it takes, at least 2: nobody vouches alone
    function setStewards(bytes[] calldata signers, uint8 threshold) external;

    /// @notice Who the stewards are.
    /// @return digest of the set in force; 0 before the first
    function stewards() external view returns (bytes32 digest);
}
