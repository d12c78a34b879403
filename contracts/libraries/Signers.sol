// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/**
 * @title Signers in the form of ERC-7913
 * @dev A signer of 20 bytes is an account: its ECDSA signature is tried first and ERC-1271 second. OpenZeppelin's
 * SignatureChecker asks ERC-1271 alone as soon as there is code, which would lock out an account that carries an
 * EIP-7702 delegation without ERC-1271. The price: the raw key of such an account stays powerful.
 */
library Signers {
    /// @dev Bounds what a registration can make everybody store. An RSA-4096 key fits, with its verifier.
    uint256 internal constant MAX_SIGNER_BYTES = 1024;

    /// @dev Whether the bytes can name a signer at all: 20 to 1024 bytes that do not start with the zero address.
    function isWellFormed(bytes memory signer) internal pure returns (bool) {
        // The first 20 bytes are the account or the verifier; neither is ever the zero address.
        return signer.length >= 20 && signer.length <= MAX_SIGNER_BYTES && address(bytes20(signer)) != address(0);
    }

    /// @dev The address that stands for a signer in packed terms: itself for an account, else the end of its hash.
    function id(bytes memory signer) internal pure returns (address) {
        return signer.length == 20 ? address(bytes20(signer)) : address(uint160(uint256(keccak256(signer))));
    }

    /// @dev Whether `signature` is by `signer` over `digest`. High-s ECDSA signatures are refused.
    function isValid(bytes memory signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (!isWellFormed(signer)) return false;
        address account = address(bytes20(signer));
        if (signer.length > 20) {
            // A verifier has code. The identity precompile has none, and what it gives back starts like a verifier's yes.
            return account.code.length > 0 && SignatureChecker.isValidSignatureNow(signer, digest, signature);
        }

        (address recovered, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == account) return true;
        return
            account.code.length > 0 && SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }
}
