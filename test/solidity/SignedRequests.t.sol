// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ISignedRequests} from "../../contracts/interfaces/ISignedRequests.sol";
import {SignedRequests} from "../../contracts/SignedRequests.sol";
import {Test} from "./Vm.sol";

contract DeadlineDesk is SignedRequests {
    constructor() EIP712("Salus DeadlineDesk", "1") {}

    function requireInTime(uint256 deadline) external view {
        _requireInTime(deadline);
    }
}

/// @dev To the second, which no test over transactions can choose.
contract SignedRequestsTest is Test {
    DeadlineDesk private immutable DESK = new DeadlineDesk();

    function testFuzz_deadlineCountsUntilItsOwnSecond(uint40 now_) public {
        VM.warp(_bound(now_, 1, type(uint40).max));
        DESK.requireInTime(block.timestamp);
        _refused(block.timestamp - 1, ISignedRequests.RequestExpired.selector);
    }

    function testFuzz_deadlineLiesAtMostThirtyDaysAhead(uint40 now_) public {
        VM.warp(now_);
        DESK.requireInTime(block.timestamp + 30 days);
        _refused(block.timestamp + 30 days + 1, ISignedRequests.RequestDeadlineTooFar.selector);
    }

    function _refused(uint256 deadline, bytes4 expected) private view {
        bytes4 thrown;
        try DESK.requireInTime(deadline) {} catch (bytes memory reason) {
            thrown = bytes4(reason);
        }
        _require(thrown == expected, "the error");
    }
}
