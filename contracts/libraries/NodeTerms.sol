// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev A peer on an organisation's list, in one word:
 *
 *  255         137     136   135        104 103         64 63             0
 * +---------------+----------+-------------+--------------+---------------+
 * |       0       | retired  |  revision   |  validUntil  | pledgedBytes  |
 * +---------------+----------+-------------+--------------+---------------+
 *
 * The revision counts the changes, from 1: 0 is a peer never listed.
 */
type NodeTerms is uint256;

using NodeTermsLib for NodeTerms global;

/// @title Reading and changing packed {NodeTerms}
library NodeTermsLib {
    uint256 private constant RETIRED_BIT = 1 << 136;

    function pack(uint64 pledgedBytes_, uint40 validUntil_, uint32 revision_) internal pure returns (NodeTerms) {
        return NodeTerms.wrap((uint256(revision_) << 104) | (uint256(validUntil_) << 64) | pledgedBytes_);
    }

    /// @dev The same peer, off the list for ever.
    function asRetired(NodeTerms terms) internal pure returns (NodeTerms) {
        return NodeTerms.wrap(NodeTerms.unwrap(terms) | RETIRED_BIT);
    }

    function isUnknown(NodeTerms terms) internal pure returns (bool) {
        return NodeTerms.unwrap(terms) == 0;
    }

    function isRetired(NodeTerms terms) internal pure returns (bool) {
        return NodeTerms.unwrap(terms) & RETIRED_BIT != 0;
    }

    function pledgedBytes(NodeTerms terms) internal pure returns (uint64) {
        return uint64(NodeTerms.unwrap(terms));
    }

    /// @dev In seconds since 1970.
    function validUntil(NodeTerms terms) internal pure returns (uint40) {
        return uint40(NodeTerms.unwrap(terms) >> 64);
    }

    function revision(NodeTerms terms) internal pure returns (uint32) {
        return uint32(NodeTerms.unwrap(terms) >> 104);
    }

    /// @dev Whether the peer is on the list at `time`; one never listed has been valid until 1970.
    function isListedAt(NodeTerms terms, uint256 time) internal pure returns (bool) {
        return !terms.isRetired() && time < terms.validUntil();
    }
}
