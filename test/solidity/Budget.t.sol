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
}
