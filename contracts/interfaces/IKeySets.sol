// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Sets of signers of whom a number must agree
 * @notice A contract keeps one digest of a set, however many keys it has: `keccak256(abi.encode(uint8 threshold,
 * address[] ids))`, an id being an account's address or the last 20 bytes of the keccak-256 of a longer signer. Whoever
 * submits brings the ids along.
 */
interface IKeySets {
    /// @notice A set of signers, as its digest stands for it.
    /// @param ids of the signers, 1 to 16, in the order of their index
    /// @param threshold how many of them it takes
    struct KeySet {
        address[] ids;
        uint8 threshold;
    }

    /// @notice One signature of a set; approvals are given with strictly rising index, so nobody counts twice.
    /// @param index of the signer in the set
    /// @param signer in the form of ERC-7913; may be left empty for an account
    /// @param signature of that signer
    struct Approval {
        uint8 index;
        bytes signer;
        bytes signature;
    }

    /// @notice A set has 1 to 16 signers, or none where it may be empty.
    /// @param count as given
    error SignerSetSizeInvalid(uint256 count);

    /// @notice The same signer is twice in a set.
    /// @param signer the one
    error SignerSetDuplicate(bytes signer);

    /// @notice The threshold is zero, more than there are signers, or not 1 where each signer acts alone.
    /// @param threshold as given
    error ThresholdInvalid(uint8 threshold);

    /// @notice The set that was brought along is not the one in force.
    /// @param digest of the one in force
    error SignerSetMismatch(bytes32 digest);

    /// @notice Approvals come with strictly rising index; this one does not.
    /// @param index as given
    error ApprovalOutOfOrder(uint8 index);

    /// @notice The set has no signer of this index, or this is not the one.
    /// @param index as given
    error ApprovalSignerUnknown(uint8 index);

    /// @notice The signature is not by the signer of this index over exactly this request.
    /// @param index as given
    error ApprovalSignatureInvalid(uint8 index);

    /// @notice Fewer approvals than it takes.
    /// @param given how many
    /// @param required how many
    error ApprovalsTooFew(uint256 given, uint256 required);
}
