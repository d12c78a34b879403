// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title A wallet and verifier that answers whatever harms most
 * @dev What it does is the first byte of the signature: 0 reverts, 1 burns all gas, 2 answers with nothing, 3 with the
 * right four bytes and rubbish behind them, 4 with a megabyte, 5 tries to change something, 6 agrees.
 */
contract HostileSigner {
    uint256 private _written;

    /// @dev Any function with any arguments.
    fallback(bytes calldata data) external returns (bytes memory) {
        return _answer(msg.sig, data[data.length - 32]);
    }

    function _answer(bytes4 selector, bytes1 what) private returns (bytes memory) {
        uint8 kind = uint8(what);
        if (kind == 0) revert("hostile");
        if (kind == 1)
            assembly {
                invalid()
            }
        if (kind == 2) return "";
        if (kind == 3) return abi.encode(bytes32(selector) | bytes32(uint256(1)));
        if (kind == 4) return new bytes(1 << 20);
        if (kind == 5) _written = 1;
        return abi.encode(selector);
    }
}
