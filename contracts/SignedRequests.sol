// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ISignedRequests} from "./interfaces/ISignedRequests.sol";
import {Signers} from "./libraries/Signers.sol";

/// @title The checks every signed request goes through
abstract contract SignedRequests is ISignedRequests, EIP712 {
    /// @dev A signature that leaked or was forgotten is worth nothing after this long.
    uint256 internal constant MAX_DEADLINE_AHEAD = 30 days;

    /// @dev Reverts unless `deadline` lies between now and 30 days ahead.
    function _requireInTime(uint256 deadline) internal view {
        if (_isInTime(deadline)) return;
        if (block.timestamp > deadline) revert RequestExpired(deadline);
        revert RequestDeadlineTooFar(deadline);
    }

    /// @dev Whether `deadline` lies between now and 30 days ahead.
    function _isInTime(uint256 deadline) internal view returns (bool) {
        // One that has passed wraps round to a number far above the bound: one comparison sees both.
        unchecked {
            return deadline - block.timestamp <= MAX_DEADLINE_AHEAD;
        }
    }

    /// @dev Reverts unless the bytes can name a signer.
    function _requireWellFormed(bytes memory signer) internal pure {
        if (!Signers.isWellFormed(signer)) revert SignerMalformed(signer);
    }

    /// @dev Reverts unless `signer` is the one that `id` stands for, and signed the EIP-712 struct of this hash. What is
    /// stored of a signer is its id alone: a key of any length costs one slot, and whoever submits brings the key along.
    function _requireSignedBy(
        address id,
        bytes calldata signer,
        bytes32 structHash,
        bytes calldata signature
    ) internal view {
        _requireWellFormed(signer);
        if (Signers.id(signer) != id) revert SignerNotTheOne(id);
        _requireSigned(signer, structHash, signature);
    }

    /// @dev Reverts unless the call comes from the account that `id` stands for.
    function _requireSender(address id) internal view {
        if (msg.sender != id) revert SignerNotTheOne(id);
    }

    /// @dev Reverts unless `signer` signed the EIP-712 struct of this hash for this contract on this chain.
    function _requireSigned(bytes memory signer, bytes32 structHash, bytes calldata signature) internal view {
        if (!Signers.isValid(signer, _hashTypedDataV4(structHash), signature)) revert RequestSignatureInvalid();
    }
}
