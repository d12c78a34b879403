// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev What a signer's gateway has anchored, in one word, which every anchor overwrites:
 *
 *  255                                72 71            32 31            0
 * +-------------------------------------+----------------+---------------+
 * |                head                 |    treeSize    |   sequence    |
 * +-------------------------------------+----------------+---------------+
 *
 * `head` is the first 184 bits of a keccak-256 over the word before and what is new: registration, then every anchor and
 * change of signer. To exchange one that others have seen takes a second preimage, 2^184 hashes; two logs with one head
 * take 2^92, and only the holder of the gateway's key could anchor one and show the other. 0 is a signer without this
 * gateway, 1 ({ENDED}) one that had it.
 */
type GatewayHead is uint256;

using GatewayHeadLib for GatewayHead global;

/// @title Reading and continuing a packed {GatewayHead}
library GatewayHeadLib {
    /// @dev The word of a signer that handed its gateway on, or retired it. Never zero again: no signature opens it anew.
    GatewayHead internal constant ENDED = GatewayHead.wrap(1);

    uint256 private constant POSITION_BITS = 72;
    uint256 private constant POSITION_MASK = (1 << POSITION_BITS) - 1;

    /// @dev The word of a gateway just registered, without an anchor.
    function first(bytes32 gateway, bytes32 certificate) internal pure returns (GatewayHead) {
        return _join(keccak256(abi.encode(gateway, certificate)), 0);
    }

    /// @dev The word after another anchor; whether it may follow is for the contract to say.
    function next(
        GatewayHead head,
        uint32 sequence_,
        uint40 treeSize_,
        bytes32 root
    ) internal pure returns (GatewayHead) {
        uint256 position = (uint256(treeSize_) << 32) | sequence_;
        return _join(keccak256(abi.encode(head, sequence_, treeSize_, root)), position);
    }

    /// @dev The word with which a new signer goes on, at the same position.
    function handedOn(
        GatewayHead head,
        bytes32 newSignerHash,
        bytes32 certificate
    ) internal pure returns (GatewayHead) {
        bytes32 hash = keccak256(abi.encode(head, newSignerHash, certificate));
        return _join(hash, GatewayHead.unwrap(head) & POSITION_MASK);
    }

    function isUnknown(GatewayHead head) internal pure returns (bool) {
        return GatewayHead.unwrap(head) == 0;
    }

    function isEnded(GatewayHead head) internal pure returns (bool) {
        return GatewayHead.unwrap(head) == GatewayHead.unwrap(ENDED);
    }

    /// @dev Number of the newest anchor.
    function sequence(GatewayHead head) internal pure returns (uint32) {
        return uint32(GatewayHead.unwrap(head));
    }

    /// @dev Leaves in its tree.
    function treeSize(GatewayHead head) internal pure returns (uint40) {
        return uint40(GatewayHead.unwrap(head) >> 32);
    }

    function _join(bytes32 hash, uint256 position) private pure returns (GatewayHead) {
        return GatewayHead.wrap((uint256(hash) & ~POSITION_MASK) | position);
    }
}
