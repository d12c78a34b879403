// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IGoverned} from "./interfaces/IGoverned.sol";

/// @title A contract that governance can stop and let go on, and nothing else
abstract contract Governed is IGoverned, AccessManaged, Pausable {
    /// @inheritdoc IGoverned
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc IGoverned
    function unpause() external restricted {
        _unpause();
    }
}
