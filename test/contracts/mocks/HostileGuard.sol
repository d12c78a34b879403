// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A contract wallet that does its worst when it is asked: the first byte of the signature says what
contract HostileGuard is IERC1271 {
    address private immutable TARGET;

    constructor(address target) {
        TARGET = target;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        uint8 trick = uint8(signature[0]);
        if (trick == 0) return bytes4(0x12345678);
        if (trick == 1) while (true) {}
        if (trick == 2) _reenter(signature[1:]);
        // The right answer with dirt behind it, too few bytes, very many bytes, and a call to itself that never ends.
        assembly {
            if eq(trick, 3) {
                mstore(0, or(shl(224, 0x1626ba7e), 1))
                return(0, 32)
            }
            if eq(trick, 4) {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
            if eq(trick, 5) {
                return(0, 500000)
            }
        }
        revert("no");
    }

    /// @dev Calls the contract that asks, with calldata of whoever signed; it is asked without leave to write.
    function _reenter(bytes calldata data) private view {
        (bool isDone, ) = TARGET.staticcall(data);
        if (isDone) return;
        revert("stopped");
    }
}
