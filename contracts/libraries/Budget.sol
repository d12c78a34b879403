// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev What a data set, or a researcher in it, may spend and has spent, in millionths of epsilon, in one word:
 *
 *  255      192 191       160 159      144 143      96 95              48 47       0
 * +------------+-------------+------------+-----------+------------------+----------+
 * |   total    |  sequence   |    year    |   spent   |  researcherCap   |   cap    |
 * +------------+-------------+------------+-----------+------------------+----------+
 *
 * `spent` is of `year`, counted in 365 days since 1970; `total` is of all years. Of a researcher only `spent`, `year`
 * and `total` are used.
 */
type Budget is uint256;

using BudgetLib for Budget global;

/// @title Reading and changing packed {Budget}s
library BudgetLib {
    function cap(Budget budget) internal pure returns (uint48) {
        return uint48(Budget.unwrap(budget));
    }

    function researcherCap(Budget budget) internal pure returns (uint48) {
        return uint48(Budget.unwrap(budget) >> 48);
    }

    /// @dev What was spent in a year. Only the newest is kept, so it is 0 of any other.
    function spentIn(Budget budget, uint16 year) internal pure returns (uint48) {
        uint256 word = Budget.unwrap(budget);
        return uint16(word >> 144) == year ? uint48(word >> 96) : 0;
    }

    function sequence(Budget budget) internal pure returns (uint32) {
        return uint32(Budget.unwrap(budget) >> 160);
    }

    function total(Budget budget) internal pure returns (uint64) {
        return uint64(Budget.unwrap(budget) >> 192);
    }

    /// @dev The same with other caps.
    function withCaps(Budget budget, uint48 cap_, uint48 researcherCap_) internal pure returns (Budget) {
        uint256 rest = Budget.unwrap(budget) & ~uint256(type(uint96).max);
        return Budget.wrap(rest | (uint256(researcherCap_) << 48) | cap_);
    }

    /// @dev The same after one more expense. Reverts where a sum no longer fits; years must not go back.
    function spend(Budget budget, uint16 year, uint48 microEpsilon) internal pure returns (Budget) {
        uint48 spent = budget.spentIn(year) + microEpsilon;
        uint256 caps = Budget.unwrap(budget) & type(uint96).max;
        return
            Budget.wrap(
                caps |
                    (uint256(spent) << 96) |
                    (uint256(year) << 144) |
                    (uint256(budget.sequence() + 1) << 160) |
                    (uint256(budget.total() + microEpsilon) << 192)
            );
    }
}
