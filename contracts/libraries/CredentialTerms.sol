// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev What a credential says, in one word, which is what a storage slot holds and what the event carries:
 *
 *  255        240 239     224 223         192 191         160 159                0
 * +--------------+-----------+---------------+---------------+-------------------+
 * |  specialty   |   role    |   expiresAt   |   notBefore   |      holder       |
 * +--------------+-----------+---------------+---------------+-------------------+
 *
 * Times are seconds since 1970, which 32 bits hold until 2106. 0 is a credential never issued; a holder and nothing
 * else is one revoked for ever.
 */
type CredentialTerms is uint256;

using CredentialTermsLib for CredentialTerms global;

/// @title Reading packed {CredentialTerms}
library CredentialTermsLib {
    /// @dev The slot of a revoked credential. Never zero, so that its old signatures can never issue it again.
    function revokedOf(address holder_) internal pure returns (CredentialTerms) {
        return CredentialTerms.wrap(uint160(holder_));
    }

    function isUnissued(CredentialTerms terms) internal pure returns (bool) {
        return CredentialTerms.unwrap(terms) == 0;
    }

    /// @dev An issued credential always ends some time, a revoked one has no time at all.
    function isRevoked(CredentialTerms terms) internal pure returns (bool) {
        return !terms.isUnissued() && terms.expiresAt() == 0;
    }

    function holder(CredentialTerms terms) internal pure returns (address) {
        return address(uint160(CredentialTerms.unwrap(terms)));
    }

    function notBefore(CredentialTerms terms) internal pure returns (uint32) {
        return uint32(CredentialTerms.unwrap(terms) >> 160);
    }

    function expiresAt(CredentialTerms terms) internal pure returns (uint32) {
        return uint32(CredentialTerms.unwrap(terms) >> 192);
    }

    function role(CredentialTerms terms) internal pure returns (uint16) {
        return uint16(CredentialTerms.unwrap(terms) >> 224);
    }

    function specialty(CredentialTerms terms) internal pure returns (uint16) {
        return uint16(CredentialTerms.unwrap(terms) >> 240);
    }

    /// @dev Whether `time` lies within its time. Unissued and revoked credentials have none.
    function isInTime(CredentialTerms terms, uint256 time) internal pure returns (bool) {
        return time >= terms.notBefore() && time < terms.expiresAt();
    }
}
