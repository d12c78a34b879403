// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IAccessGrants} from "../../../contracts/interfaces/IAccessGrants.sol";

/// @title Says yes to everything, after it tried to claim a grant in the midst of another call
contract ReenteringWallet is IERC1271 {
    IAccessGrants private immutable GRANTS;

    constructor(IAccessGrants grants) {
        GRANTS = grants;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32, bytes calldata grantId) external view returns (bytes4) {
        // A call that changes state fails here, whatever it is: the contract asks without leave to write.
        (bool done, ) = address(this).staticcall(abi.encodeCall(this.reenter, (bytes32(grantId))));
        return done ? IERC1271.isValidSignature.selector : bytes4(0);
    }

    function reenter(bytes32 grantId) external {
        GRANTS.claimByAccount(grantId);
    }
}

/// @title Answers with more than was asked for: the right word is not the first
contract GarbageWallet {
    fallback() external {
        bytes memory garbage = abi.encode(uint256(1), IERC1271.isValidSignature.selector, new bytes(4096));
        assembly ("memory-safe") {
            return(add(garbage, 0x20), mload(garbage))
        }
    }
}

/// @title Answers with four bytes where a word is due
contract ShortWallet {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, hex"1626ba7e")
            return(0, 4)
        }
    }
}

/// @title Uses up all gas it is given
contract GreedyWallet {
    fallback() external {
        assembly ("memory-safe") {
            invalid()
        }
    }
}
