// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev Who signs for a patient, in one word, so that a grant reads one slot to check it:
 *
 *  255           224 223         192 191         160 159                0
 * +-----------------+---------------+---------------+-------------------+
 * |     (zero)      |     epoch     |     nonce     |      signer       |
 * +-----------------+---------------+---------------+-------------------+
 *
 * The signer is kept as its id ({Signers-id}) and is never zero for a registered patient.
 */
type PatientWord is uint256;

using PatientWordLib for PatientWord global;

/// @title Reading and changing a packed {PatientWord}
library PatientWordLib {
    /// @dev The word of a patient that was just registered.
    function first(address signer_) internal pure returns (PatientWord) {
        return PatientWord.wrap(uint160(signer_));
    }

    function isKnown(PatientWord word) internal pure returns (bool) {
        return PatientWord.unwrap(word) != 0;
    }

    function signer(PatientWord word) internal pure returns (address) {
        return address(uint160(PatientWord.unwrap(word)));
    }

    function epoch(PatientWord word) internal pure returns (uint32) {
        return uint32(PatientWord.unwrap(word) >> 192);
    }

    function nonce(PatientWord word) internal pure returns (uint32) {
        return uint32(PatientWord.unwrap(word) >> 160);
    }

    /// @dev The same with the next nonce. Four thousand million requests of one patient are out of reach; should they
    /// come, this reverts rather than starting again.
    function withNextNonce(PatientWord word) internal pure returns (PatientWord) {
        return _pack(word.signer(), word.epoch(), word.nonce() + 1);
    }

    /// @dev The same with another signer, the next epoch and the next nonce.
    function withSigner(PatientWord word, address newSigner) internal pure returns (PatientWord) {
        return _pack(newSigner, word.epoch() + 1, word.nonce() + 1);
    }

    function _pack(address signer_, uint32 epoch_, uint32 nonce_) private pure returns (PatientWord) {
        return PatientWord.wrap(uint160(signer_) | (uint256(nonce_) << 160) | (uint256(epoch_) << 192));
    }
}
