// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title What the network's governance may do to a contract: stop what is new, and let it go on
 * @notice Stopping never touches what a person uses to protect itself: revoking, holding firmware, vetoing a recovery.
 */
interface IGoverned {
    /// @notice Stops new grants, releases and registrations here. For governance alone, at once.
    function pause() external;

    /// @notice Lets them go on. For governance alone, after its delay.
    function unpause() external;
}
