// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Budget} from "../../contracts/libraries/Budget.sol";
import {Test} from "./Vm.sol";

contract BudgetTest is Test {
    function testFuzz_readsWhatWasWritten(uint256 word, uint48 cap, uint48 researcherCap) public pure {
        Budget before = Budget.wrap(word);
        Budget budget = before.withCaps(cap, researcherCap);
        _equal(budget.cap(), cap, "cap");
        _equal(budget.researcherCap(), researcherCap, "researcherCap");
        _equal(Budget.unwrap(budget) >> 96, word >> 96, "the rest");
    }

    function testFuzz_everyFieldHasItsPlace(
        uint48 cap,
        uint48 researcherCap,
        uint48 spent,
        uint16 year,
        uint32 sequence,
        uint64 total
    ) public pure {
        bytes memory packed = abi.encodePacked(total, sequence, year, spent, researcherCap, cap);
        Budget budget = Budget.wrap(uint256(bytes32(packed)));
        _equal(budget.cap(), cap, "cap");
        _equal(budget.researcherCap(), researcherCap, "researcherCap");
        _equal(budget.spentIn(year), spent, "spent");
        _equal(budget.sequence(), sequence, "sequence");
        _equal(budget.total(), total, "total");
        unchecked {
            _equal(budget.spentIn(year + 1), 0, "another year");
        }
    }

    function testFuzz_spendingAddsUpWithinAYearAndBeginsAnew(
        uint96 caps,
        uint16 year,
        uint40[3] memory amounts
    ) public pure {
        year = uint16(_bound(year, 0, type(uint16).max - 1));
        Budget budget = Budget.wrap(caps).spend(year, amounts[0]).spend(year, amounts[1]);
        _equal(budget.spentIn(year), uint256(amounts[0]) + amounts[1], "two in a year");
        budget = budget.spend(year + 1, amounts[2]);
        _equal(budget.spentIn(year + 1), amounts[2], "one in the next");
        _equal(budget.spentIn(year), 0, "the year before is gone");
        _equal(budget.total(), uint256(amounts[0]) + amounts[1] + amounts[2], "total");
        _equal(budget.sequence(), 3, "sequence");
        _equal(uint96(Budget.unwrap(budget)), caps, "caps");
    }

    function testFuzz_noSumWrapsRound(uint48 spent, uint48 more, uint16 year) public view {
        Budget budget = _pack(0, 0, year, spent);
        if (more <= type(uint48).max - spent) _equal(this.spend(budget, year, more).spentIn(year), spent + more, "sum");
        else _overflows(budget, year, more);
    }

    function testFuzz_noCountStartsAgain(uint16 year, uint32 left, uint48 amount) public view {
        _overflows(_pack(0, type(uint32).max, year, 0), year, amount);
        Budget last = this.spend(_pack(0, type(uint32).max - 1, year, 0), year, amount);
        _equal(last.sequence(), type(uint32).max, "sequence");
        uint48 more = uint48(left) + 1;
        _overflows(_pack(type(uint64).max - left, 0, year, 0), year, more);
        last = this.spend(_pack(type(uint64).max - left, 0, year, 0), year, left);
        _equal(last.total(), type(uint64).max, "total");
    }

    /// @notice From outside, so that a test sees it revert.
    function spend(Budget budget, uint16 year, uint48 amount) external pure returns (Budget) {
        return budget.spend(year, amount);
    }

    function _overflows(Budget budget, uint16 year, uint48 amount) private view {
        try this.spend(budget, year, amount) {
            _require(false, "wrapped round");
        } catch Panic(uint256 code) {
            _equal(code, 0x11, "another panic");
        }
    }

    function _pack(uint64 total, uint32 sequence, uint16 year, uint48 spent) private pure returns (Budget) {
        return Budget.wrap(uint256(bytes32(abi.encodePacked(total, sequence, year, spent, uint96(0)))));
    }
}
