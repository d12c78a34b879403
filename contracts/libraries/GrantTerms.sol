// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev The terms of a grant in one word, which is what a storage slot holds and what the event carries:
 *
 *  255       248 247      240 239         200 199         160 159                0
 * +-------------+------------+---------------+---------------+-------------------+
 * |    uses     |   rights   |   expiresAt   |   notBefore   |      grantee      |
 * +-------------+------------+---------------+---------------+-------------------+
 *
 * Times are seconds since 1970. 0 is a grant never opened, 1 ({REVOKED}) one revoked for ever.
 */
type GrantTerms is uint256;

using GrantTermsLib for GrantTerms global;

/// @title Reading and changing packed {GrantTerms}
library GrantTermsLib {
    /// @dev The slot of a revoked grant. Not zero, so that the grant's old signature can never open it again.
    GrantTerms internal constant REVOKED = GrantTerms.wrap(1);

    /// @dev `uses` of a grant that may be used without claiming it.
    uint8 internal constant UNLIMITED_USES = type(uint8).max;

    /// @dev Rights that exist: bit 0 read, bit 1 write, bit 2 history.
    uint8 internal constant ALL_RIGHTS = 7;

    function isUnopened(GrantTerms terms) internal pure returns (bool) {
        return GrantTerms.unwrap(terms) == 0;
    }

    function isRevoked(GrantTerms terms) internal pure returns (bool) {
        return GrantTerms.unwrap(terms) == GrantTerms.unwrap(REVOKED);
    }

    function grantee(GrantTerms terms) internal pure returns (address) {
        return address(uint160(GrantTerms.unwrap(terms)));
    }

    function notBefore(GrantTerms terms) internal pure returns (uint40) {
        return uint40(GrantTerms.unwrap(terms) >> 160);
    }

    function expiresAt(GrantTerms terms) internal pure returns (uint40) {
        return uint40(GrantTerms.unwrap(terms) >> 200);
    }

    function rights(GrantTerms terms) internal pure returns (uint8) {
        return uint8(GrantTerms.unwrap(terms) >> 240);
    }

    function uses(GrantTerms terms) internal pure returns (uint8) {
        return uint8(GrantTerms.unwrap(terms) >> 248);
    }

    /// @dev Whether the terms give a right, and none that does not exist.
    function hasKnownRights(GrantTerms terms) internal pure returns (bool) {
        uint8 given = terms.rights();
        return given != 0 && given <= ALL_RIGHTS;
    }

    /// @dev Whether a grant of these terms may be opened at `time`: somebody gets a right, some use of it, and time for
    /// it. In assembly, since every grant pays for it: all at once instead of one jump each.
    function isUsableAt(GrantTerms terms, uint256 time) internal pure returns (bool usable) {
        uint256 allRights = ALL_RIGHTS;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let notBefore_ := and(shr(160, terms), 0xffffffffff)
            let expiresAt_ := and(shr(200, terms), 0xffffffffff)
            // Without rights, 0 - 1 wraps round to a number above all of them.
            usable := lt(sub(byte(1, terms), 1), allRights)
            usable := and(usable, and(lt(notBefore_, expiresAt_), lt(time, expiresAt_)))
            usable := and(usable, iszero(or(iszero(byte(0, terms)), iszero(shl(96, terms)))))
        }
    }

    /// @dev The same terms with another number of uses left.
    function withUses(GrantTerms terms, uint8 usesLeft) internal pure returns (GrantTerms) {
        return GrantTerms.wrap((GrantTerms.unwrap(terms) & (type(uint256).max >> 8)) | (uint256(usesLeft) << 248));
    }

    /// @dev Whether both are one grant, of which some uses may have been claimed.
    function equalsButForUses(GrantTerms terms, GrantTerms other) internal pure returns (bool) {
        return (GrantTerms.unwrap(terms) ^ GrantTerms.unwrap(other)) << 8 == 0;
    }

    /// @dev Whether the grant can be used at `time`. Unopened and revoked grants have no uses and never can.
    function isLiveAt(GrantTerms terms, uint256 time) internal pure returns (bool) {
        return terms.uses() != 0 && time >= terms.notBefore() && time < terms.expiresAt();
    }
}
