// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The cheat codes that these tests use; Hardhat and Forge both know them
interface Vm {
    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
    function chainId(uint256 newChainId) external;
    function prank(address sender) external;
    function assume(bool condition) external pure;
    function expectRevert(bytes4 selector) external;
}

/// @title What every Solidity test stands on
abstract contract Test {
    bool public constant IS_TEST = true;

    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error NotEqual(uint256 actual, uint256 expected, string what);

    /// @dev A number from `low` to `high`, both included, made of any number.
    function _bound(uint256 any, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (any % (high - low + 1));
    }

    function _equal(uint256 actual, uint256 expected, string memory what) internal pure {
        if (actual != expected) revert NotEqual(actual, expected, what);
    }

    function _require(bool holds, string memory what) internal pure {
        if (!holds) revert NotEqual(0, 1, what);
    }

    /// @dev An EIP-712 signature as wallets give it. Written out here, so that no line is shared with the contracts.
    function _signTyped(
        uint256 privateKey,
        string memory contractName,
        address verifyingContract,
        bytes32 structHash
    ) internal view returns (bytes memory) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(contractName)),
                keccak256("1"),
                block.chainid,
                verifyingContract
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(
            privateKey,
            keccak256(abi.encodePacked(hex"1901", separator, structHash))
        );
        return abi.encodePacked(r, s, v);
    }
}
