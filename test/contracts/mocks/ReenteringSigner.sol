// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";

/**
 * @title A wallet and verifier that tries whatever a check of a signature allows
 * @dev The signature says what: `abi.encode(uint8 kind, address target, bytes data)`.
 */
contract ReenteringSigner {
    uint8 private constant AGREE = 0;
    uint8 private constant REVERT = 1;
    uint8 private constant BURN = 2;
    uint8 private constant FLOOD = 3;
    uint8 private constant REENTER = 4;

    /// @dev As ERC-1271 has it, but not bound to change nothing.
    function isValidSignature(bytes32, bytes calldata signature) external returns (bytes4) {
        return _does(signature) ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @dev As ERC-7913 has it, but not bound to change nothing.
    function verify(bytes calldata, bytes32, bytes calldata signature) external returns (bytes4) {
        return _does(signature) ? IERC7913SignatureVerifier.verify.selector : bytes4(0xffffffff);
    }

    /// @dev Re-entering agrees if the inner call succeeded.
    function _does(bytes calldata signature) private returns (bool) {
        (uint8 kind, address target, bytes memory data) = abi.decode(signature, (uint8, address, bytes));
        if (kind == REVERT) revert("no");
        if (kind == BURN) while (true) target = address(bytes20(keccak256(abi.encode(target))));
        if (kind == FLOOD) _returnZeros(1 << 17);
        if (kind != REENTER) return kind == AGREE;
        (bool isDone, ) = target.call(data);
        return isDone;
    }

    function _returnZeros(uint256 length) private pure {
        assembly {
            return(0x80, length)
        }
    }
}
