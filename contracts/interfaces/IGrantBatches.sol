// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrantTerms} from "../libraries/GrantTerms.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Many grants under one signature, one slot for all
 * @notice The contract keeps the root of a Merkle tree over the batch, and a grant gets a slot of its own only when it
 * is claimed or revoked. Its id is that of a single grant, so a tombstone reaches it in either form. Part of
 * {IAccessGrants}'s contract, whose event `Granted` is emitted for each grant of a batch.
 */
interface IGrantBatches is ISignedRequests {
    /// @notice One grant of a batch.
    struct BatchItem {
        GrantTerms terms;
        bytes32 scope;
    }

    /// @notice A patient opened many grants at once.
    /// @param patient who grants
    /// @param root of the tree over their EIP-712 struct hashes, in rising order of scopes
    /// @param count how many
    event GrantBatchOpened(bytes32 indexed patient, bytes32 indexed root, uint256 count);

    /// @notice The batch was opened before.
    /// @param root of its tree
    error GrantBatchAlreadyOpened(bytes32 root);

    /// @notice A batch has one grant at least and 256 at most.
    /// @param count as given
    error GrantBatchSizeInvalid(uint256 count);

    /// @notice The grants of a batch must come in rising order of their scopes, each once.
    error GrantBatchOutOfOrder();

    /// @notice The patient opened no batch with such a grant.
    /// @param root as given
    error GrantNotInBatch(bytes32 root);

    /// @notice Opens many grants, or none if one of them cannot be. Signed:
    /// `GrantBatch(bytes32 patient,BatchGrant[] grants,uint32 epoch,uint256 deadline)BatchGrant(address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope)`.
    /// Not while paused.
    /// @param patient who grants
    /// @param items the grants, in rising order of their scopes
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`, over the patient's current epoch
    /// @return root of the batch's tree
    function grantBatch(
        bytes32 patient,
        BatchItem[] calldata items,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external returns (bytes32 root);

    /// @notice Gives a grant of a batch a slot of its own, so that it can be claimed; for anybody to send.
    /// Emits `Granted` again.
    /// @param patient who granted
    /// @param root of the batch
    /// @param item the grant
    /// @param proof from the grant to the root, as OpenZeppelin's MerkleProof takes it
    function openFromBatch(bytes32 patient, bytes32 root, BatchItem calldata item, bytes32[] calldata proof) external;

    /// @notice Whether a grant of a batch can be used at a time.
    /// @param patient who granted
    /// @param root of the batch
    /// @param item the grant
    /// @param proof from the grant to the root
    /// @param time in seconds since 1970
    /// @return whether it is in the batch, not revoked, not spent, within its time, and no other grant holds its slot
    function isLiveInBatch(
        bytes32 patient,
        bytes32 root,
        BatchItem calldata item,
        bytes32[] calldata proof,
        uint256 time
    ) external view returns (bool);
}
