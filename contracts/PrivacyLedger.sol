// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {AuthorityUtils} from "@openzeppelin/contracts/access/manager/AuthorityUtils.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Governed} from "./Governed.sol";
import {IPrivacyLedger} from "./interfaces/IPrivacyLedger.sol";
import {Budget} from "./libraries/Budget.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title What answers about a data set have cost in privacy, and how much they may
/// @dev A booking overwrites the data set's word and the researcher's, and opens one slot: the question's.
contract PrivacyLedger is IPrivacyLedger, Governed, SignedRequests {
    bytes32 private constant PRIVACY_SPENDING_TYPEHASH = keccak256(
        "PrivacySpending(bytes32 dataset,address researcher,bytes32 query,uint48 microEpsilon,uint32 sequence,uint256 deadline)"
    );

    /// @dev One part in five of a data set's cap is kept for regulators.
    uint48 private constant RESERVED_PART = 5;

    /// @inheritdoc IPrivacyLedger
    mapping(address researcher => bool) public isRegulator;

    mapping(bytes32 dataset => Budget) private _budgets;
    mapping(bytes32 dataset => mapping(address researcher => Budget)) private _researchers;
    mapping(bytes32 dataset => mapping(bytes32 query => uint48)) private _booked;

    constructor(address authority) AccessManaged(authority) EIP712("Salus PrivacyLedger", "1") {}

    /// @inheritdoc IPrivacyLedger
    function setCap(bytes32 dataset, uint48 cap, uint48 researcherCap) external restricted {
        if (researcherCap > cap) revert CapsMalformed();
        Budget budget = _budgets[dataset];
        uint48 spent = budget.spentIn(_year());
        if (cap < spent) revert CapBelowSpent(spent, cap);

        _budgets[dataset] = budget.withCaps(cap, researcherCap);
        emit CapSet(dataset, cap, researcherCap);
    }

    /// @inheritdoc IPrivacyLedger
    function setRegulator(address researcher, bool mayDraw) external restricted {
        isRegulator[researcher] = mayDraw;
        emit RegulatorSet(researcher, mayDraw);
    }

    /// @inheritdoc IPrivacyLedger
    function spend(
        bytes32 dataset,
        address researcher,
        bytes32 query,
        uint48 microEpsilon,
        uint32 sequence
    ) external restricted {
        _spend(dataset, researcher, query, microEpsilon, sequence);
    }

    /// @inheritdoc IPrivacyLedger
    function spendSigned(
        bytes32 dataset,
        address researcher,
        bytes32 query,
        uint48 microEpsilon,
        uint32 sequence,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        address id = Signers.id(signer);
        (bool mayCall, ) = AuthorityUtils.canCallWithDelay(authority(), id, address(this), this.spend.selector);
        if (!mayCall) revert LedgerKeeperUnknown(id);
        bytes32 structHash = keccak256(
            abi.encode(PRIVACY_SPENDING_TYPEHASH, dataset, researcher, query, microEpsilon, sequence, deadline)
        );
        _requireSigned(signer, structHash, signature);

        _spend(dataset, researcher, query, microEpsilon, sequence);
    }

    /// @inheritdoc IPrivacyLedger
    function budgetOf(
        bytes32 dataset
    ) external view returns (uint48 cap, uint48 researcherCap, uint48 spent, uint32 sequence, uint64 total) {
        Budget budget = _budgets[dataset];
        return (budget.cap(), budget.researcherCap(), budget.spentIn(_year()), budget.sequence(), budget.total());
    }

    /// @inheritdoc IPrivacyLedger
    function spentBy(bytes32 dataset, address researcher) external view returns (uint48 spent, uint64 total) {
        Budget budget = _researchers[dataset][researcher];
        return (budget.spentIn(_year()), budget.total());
    }

    /// @inheritdoc IPrivacyLedger
    function bookedFor(bytes32 dataset, bytes32 query) external view returns (uint48) {
        return _booked[dataset][query];
    }

    function _spend(
        bytes32 dataset,
        address researcher,
        bytes32 query,
        uint48 microEpsilon,
        uint32 sequence
    ) private whenNotPaused {
        if (microEpsilon == 0 || query == 0 || researcher == address(0)) revert SpendingMalformed();
        if (_booked[dataset][query] != 0) revert QueryAlreadyBooked(query);
        (Budget budget, Budget own) = (_budgets[dataset], _researchers[dataset][researcher]);
        if (sequence != budget.sequence() + 1) revert SpendingOutOfSequence(budget.sequence() + 1, sequence);
        uint16 year = _year();
        uint48 cap = isRegulator[researcher] ? budget.cap() : budget.cap() - budget.cap() / RESERVED_PART;
        uint48 left = _left(cap, budget.spentIn(year));
        if (microEpsilon > left) revert BudgetExceeded(left, microEpsilon);
        left = _left(budget.researcherCap(), own.spentIn(year));
        if (microEpsilon > left) revert ResearcherBudgetExceeded(left, microEpsilon);

        _budgets[dataset] = budget.spend(year, microEpsilon);
        _researchers[dataset][researcher] = own.spend(year, microEpsilon);
        _booked[dataset][query] = microEpsilon;
        emit Spent(dataset, sequence, researcher, query, microEpsilon);
    }

    function _year() private view returns (uint16) {
        return uint16(block.timestamp / 365 days);
    }

    /// @dev Regulators spend beyond what others may, and caps are lowered: nothing is left, not less.
    function _left(uint48 cap, uint48 spent) private pure returns (uint48) {
        return spent < cap ? cap - spent : 0;
    }
}
