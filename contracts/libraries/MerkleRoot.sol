// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title The root of a Merkle tree with sorted pairs, as OpenZeppelin's MerkleProof checks it
library MerkleRoot {
    /// @dev Takes the nodes of a level in pairs; a last one without a partner goes up as it is. Overwrites `nodes`.
    /// O(n) hashes. The caller sees to it that leaves are hashes of something else than two words.
    function from(bytes32[] memory nodes) internal pure returns (bytes32) {
        uint256 width = nodes.length;
        while (width > 1) {
            uint256 above = 0;
            for (uint256 i = 0; i < width; i += 2) {
                nodes[above++] = i + 1 < width ? Hashes.commutativeKeccak256(nodes[i], nodes[i + 1]) : nodes[i];
            }
            width = above;
        }
        return nodes[0];
    }
}
