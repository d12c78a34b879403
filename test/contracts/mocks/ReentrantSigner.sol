// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title A contract wallet that calls back while it is asked, with what it is given as the signature
 * @dev It accepts, and only then, if the call back went through.
 */
contract ReentrantSigner {
    address private immutable TARGET;

    constructor(address target) {
        TARGET = target;
    }

    /// @dev As ERC-1271 has it, but for the promise to change nothing.
    function isValidSignature(bytes32, bytes calldata signature) external returns (bytes4) {
        (bool succeeded, ) = TARGET.call(signature);
        return succeeded ? bytes4(0x1626ba7e) : bytes4(0);
    }
}
