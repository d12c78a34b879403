// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IStewarded} from "./interfaces/IStewarded.sol";
import {KeySets} from "./libraries/KeySets.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title A contract whose stewards vouch for what happens in it
abstract contract Stewarded is IStewarded, Governed, SignedRequests {
    /// @inheritdoc IStewarded
    bytes32 public stewards;

    /// @inheritdoc IStewarded
    function setStewards(bytes[] calldata signers, uint8 threshold) external restricted {
        address[] memory ids = KeySets.idsOf(signers, 1);
        KeySets.requireThreshold(threshold, ids.length);
        if (threshold == 1) revert ThresholdInvalid(threshold);

        stewards = KeySets.digest(threshold, ids);
        emit StewardsSet(stewards, signers, threshold);
    }

    /// @dev Reverts unless a threshold of the stewards signed the struct of this hash.
    function _requireStewards(KeySet calldata set, bytes32 structHash, Approval[] calldata approvals) internal view {
        KeySets.requireSet(set, stewards);
        KeySets.requireApprovals(set.ids, set.threshold, _hashTypedDataV4(structHash), approvals);
    }

    /// @dev Reverts unless one of the stewards signed the struct of this hash.
    function _requireSteward(KeySet calldata set, bytes32 structHash, Approval calldata approval) internal view {
        KeySets.requireSet(set, stewards);
        KeySets.requireApproval(set.ids, _hashTypedDataV4(structHash), approval);
    }
}
