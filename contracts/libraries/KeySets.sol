// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeySets} from "../interfaces/IKeySets.sol";
import {ISignedRequests} from "../interfaces/ISignedRequests.sol";
import {Signers} from "./Signers.sol";

/**
 * @title Sets of signers, kept as one digest
 * @dev Reading the ids from calldata and hashing them costs a fraction of reading a slot for each.
 */
library KeySets {
    /// @dev Bounds the gas of checking a set for a signer that is in it twice.
    uint256 internal constant MAX_SIGNERS = 16;

    /// @dev What a contract keeps of a set. Never zero, so an empty slot is no set.
    function digest(uint8 threshold, address[] memory ids) internal pure returns (bytes32) {
        return keccak256(abi.encode(threshold, ids));
    }

    /// @dev The same of ids that a request brings, without copying them first.
    function digestOfGiven(uint8 threshold, address[] calldata ids) internal pure returns (bytes32) {
        return keccak256(abi.encode(threshold, ids));
    }

    /// @dev The ids of signers, in their order. Reverts unless there are `fewest` to 16, all well formed and different.
    function idsOf(bytes[] calldata signers, uint256 fewest) internal pure returns (address[] memory ids) {
        if (signers.length < fewest || signers.length > MAX_SIGNERS)
            revert IKeySets.SignerSetSizeInvalid(signers.length);
        ids = new address[](signers.length);
        for (uint256 i = 0; i < signers.length; ++i) {
            if (!Signers.isWellFormed(signers[i])) revert ISignedRequests.SignerMalformed(signers[i]);
            ids[i] = Signers.id(signers[i]);
            for (uint256 j = 0; j < i; ++j) if (ids[i] == ids[j]) revert IKeySets.SignerSetDuplicate(signers[i]);
        }
    }

    /// @dev Reverts unless it takes at least one of `count` signers and at most all.
    function requireThreshold(uint8 threshold, uint256 count) internal pure {
        if (threshold == 0 || threshold > count) revert IKeySets.ThresholdInvalid(threshold);
    }

    /// @dev Reverts unless `set` is the one with this digest.
    function requireSet(IKeySets.KeySet calldata set, bytes32 expected) internal pure {
        if (digestOfGiven(set.threshold, set.ids) != expected) revert IKeySets.SignerSetMismatch(expected);
    }

    /// @dev Reverts unless at least `required` of `ids` signed `hash`. Every approval given must hold, not only as many
    /// as it takes: a wrong one is a mistake worth hearing of.
    /// @return approved a bit for each index that approved
    function requireApprovals(
        address[] calldata ids,
        uint256 required,
        bytes32 hash,
        IKeySets.Approval[] calldata approvals
    ) internal view returns (uint16 approved) {
        if (approvals.length < required) revert IKeySets.ApprovalsTooFew(approvals.length, required);
        uint256 next = 0;
        for (uint256 i = 0; i < approvals.length; ++i) {
            IKeySets.Approval calldata approval = approvals[i];
            uint8 index = approval.index;
            if (index < next) revert IKeySets.ApprovalOutOfOrder(index);
            requireApproval(ids, hash, approval);
            next = uint256(index) + 1;
            approved |= uint16(1 << index);
        }
    }

    /// @dev Reverts unless the approval is by the signer of its index, over `hash`.
    function requireApproval(address[] calldata ids, bytes32 hash, IKeySets.Approval calldata approval) internal view {
        uint8 index = approval.index;
        if (index >= ids.length) revert IKeySets.ApprovalSignerUnknown(index);
        // An account's bytes are its id, which need not be given twice.
        bytes memory signer = approval.signer.length == 0 ? abi.encodePacked(ids[index]) : approval.signer;
        if (Signers.id(signer) != ids[index]) revert IKeySets.ApprovalSignerUnknown(index);
        if (!Signers.isValid(signer, hash, approval.signature)) revert IKeySets.ApprovalSignatureInvalid(index);
    }
}
