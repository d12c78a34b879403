// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReviewQueue} from "../../contracts/libraries/ReviewQueue.sol";
import {Test} from "./Vm.sol";

/// @title Adds and removes in any order, beside a plain list of the same
contract QueueActor is Test {
    using ReviewQueue for ReviewQueue.Queue;

    ReviewQueue.Queue private _queue;
    uint32[] private _tickets;
    uint40[] private _times;
    uint40 private _now = 1;

    function add(uint8 later) external {
        _now += later % 4;
        _tickets.push(_queue.add(_now));
        _times.push(_now);
    }

    function remove(uint256 seed) external {
        uint256 index = _bound(seed, 0, _tickets.length - 1);
        _queue.remove(_tickets[index]);
        for (uint256 i = index + 1; i < _tickets.length; ++i) {
            _tickets[i - 1] = _tickets[i];
            _times[i - 1] = _times[i];
        }
        _tickets.pop();
        _times.pop();
    }

    /// @notice Compares every link, and every question with a small count.
    function check() external view {
        _equal(_queue.length, _tickets.length, "length");
        uint32 ticket = _queue.oldest;
        uint32 before = 0;
        for (uint256 i = 0; i < _tickets.length; ++i) {
            _equal(ticket, _tickets[i], "ticket");
            _equal(_queue.places[ticket].older, before, "older");
            _equal(_queue.places[ticket].since, _times[i], "since");
            (before, ticket) = (ticket, _queue.places[ticket].newer);
        }
        _equal(ticket, 0, "end");
        _equal(_queue.newest, before, "newest");
        for (uint256 count = 1; count <= 8; ++count) {
            for (uint256 time = _now < 6 ? 0 : _now - 6; time <= _now; ++time) {
                uint256 waiting = 0;
                for (uint256 i = 0; i < _times.length; ++i) if (_times[i] <= time) ++waiting;
                _require(_queue.hasWaiting(count, time) == (waiting >= count), "waiting");
            }
        }
    }
}

contract ReviewQueueInvariants is Test {
    QueueActor private _actor;

    function setUp() public {
        _actor = new QueueActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_itIsAListInOrder() public view {
        _actor.check();
    }
}
