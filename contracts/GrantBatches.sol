// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {GrantSlots} from "./GrantSlots.sol";
import {IGrantBatches} from "./interfaces/IGrantBatches.sol";
import {GrantTerms} from "./libraries/GrantTerms.sol";
import {MerkleRoot} from "./libraries/MerkleRoot.sol";
import {PatientWord} from "./libraries/PatientWord.sol";

/**
 * @title Many grants under one signature, one slot for all
 * @dev A grant's own slot, once written, always beats the batch: terms of a single grant, uses left, tombstone.
 */
abstract contract GrantBatches is IGrantBatches, GrantSlots {
    uint256 private constant MAX_BATCH = 256;

    bytes32 private constant GRANT_BATCH_TYPEHASH = keccak256(
        "GrantBatch(bytes32 patient,BatchGrant[] grants,uint32 epoch,uint256 deadline)BatchGrant(address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope)"
    );
    bytes32 private constant BATCH_GRANT_TYPEHASH = keccak256(
        "BatchGrant(address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope)"
    );

    /// @dev A root counts for the patient who signed the batch and for nobody else.
    mapping(bytes32 patient => mapping(bytes32 root => bool)) private _batches;

    /// @inheritdoc IGrantBatches
    function grantBatch(
        bytes32 patient,
        BatchItem[] calldata items,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external returns (bytes32 root) {
        if (items.length == 0 || items.length > MAX_BATCH) revert GrantBatchSizeInvalid(items.length);
        PatientWord word = _known(patient);
        bytes32[] memory leaves = _openable(items, deadline);
        bytes32 structHash = keccak256(
            abi.encode(GRANT_BATCH_TYPEHASH, patient, keccak256(abi.encodePacked(leaves)), word.epoch(), deadline)
        );
        root = MerkleRoot.from(leaves);
        // Before any slot is looked at: whoever sends a batch again hears of the batch, whatever became of its grants.
        if (_batches[patient][root]) revert GrantBatchAlreadyOpened(root);
        _requireSignedBy(word.signer(), signer, structHash, signature);

        _batches[patient][root] = true;
        emit GrantBatchOpened(patient, root, items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            bytes32 grantId = _grantIdOf(patient, items[i].scope);
            _requireUnopened(grantId);
            emit Granted(patient, grantId, items[i].terms);
        }
    }

    /// @inheritdoc IGrantBatches
    function openFromBatch(bytes32 patient, bytes32 root, BatchItem calldata item, bytes32[] calldata proof) external {
        if (!_isInBatch(patient, root, item, proof)) revert GrantNotInBatch(root);
        // Emits again, with what the slot holds from now on: a scope used twice against the rules has no doubtful terms.
        _open(patient, item.terms, item.scope);
    }

    /// @inheritdoc IGrantBatches
    function isLiveInBatch(
        bytes32 patient,
        bytes32 root,
        BatchItem calldata item,
        bytes32[] calldata proof,
        uint256 time
    ) external view returns (bool) {
        GrantTerms own = _slots[_grantIdOf(patient, item.scope)].terms;
        // A slot with other terms is not this grant's: the patient has used the scope twice.
        if (!own.isUnopened() && !own.equalsButForUses(item.terms)) return false;
        GrantTerms terms = own.isUnopened() ? item.terms : own;
        return terms.isLiveAt(time) && _isInBatch(patient, root, item, proof);
    }

    /// @dev The struct hashes of grants that can all be opened if their slots are free.
    function _openable(BatchItem[] calldata items, uint256 deadline) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](items.length);
        bytes32 previous = 0;
        for (uint256 i = 0; i < items.length; ++i) {
            BatchItem calldata item = items[i];
            _requireOpenable(item.terms, deadline);
            if (item.scope <= previous) revert GrantBatchOutOfOrder();
            leaves[i] = _hashItem(item);
            previous = item.scope;
        }
    }

    function _isInBatch(
        bytes32 patient,
        bytes32 root,
        BatchItem calldata item,
        bytes32[] calldata proof
    ) private view returns (bool) {
        // A leaf is the hash of seven words, an inner node that of two: neither passes for the other.
        return _batches[patient][root] && MerkleProof.verifyCalldata(proof, root, _hashItem(item));
    }

    function _hashItem(BatchItem calldata item) private pure returns (bytes32) {
        GrantTerms terms = item.terms;
        return
            keccak256(
                abi.encode(
                    BATCH_GRANT_TYPEHASH,
                    terms.grantee(),
                    terms.notBefore(),
                    terms.expiresAt(),
                    terms.rights(),
                    terms.uses(),
                    item.scope
                )
            );
    }
}
