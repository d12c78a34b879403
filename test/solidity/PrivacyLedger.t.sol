// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {PrivacyLedger} from "../../contracts/PrivacyLedger.sol";
import {Test} from "./Vm.sol";

/// @title Governs and keeps a ledger in any order, and adds up on its own what was booked
contract LedgerActor is Test {
    bytes32 public constant DATASET = "dataset";
    uint256 public constant RESEARCHERS = 3;

    PrivacyLedger public immutable LEDGER;

    uint64 public total;
    uint32 public bookings;
    mapping(uint256 year => uint256) public spentIn;
    mapping(uint256 year => mapping(address researcher => uint256)) public spentByIn;
    /// @dev The highest a researcher could reach: a cap that is lowered later takes nothing back.
    uint48 public highestResearcherCap;
    uint256 public refunds;

    constructor() {
        LEDGER = new PrivacyLedger(address(new AccessManager(address(this))));
        LEDGER.setCap(DATASET, 4_000_000, 1_000_000);
        highestResearcherCap = 1_000_000;
    }

    function setCap(uint32 cap, uint32 researcherCap) external {
        LEDGER.setCap(DATASET, cap % 6_000_000, researcherCap % 2_000_000);
        if (researcherCap % 2_000_000 > highestResearcherCap) highestResearcherCap = researcherCap % 2_000_000;
    }

    function setRegulator(uint8 who, bool mayDraw) external {
        LEDGER.setRegulator(researcher(who), mayDraw);
    }

    function pause(bool isPaused) external {
        if (isPaused) LEDGER.pause();
        else LEDGER.unpause();
    }

    function spend(uint8 who, uint8 query, uint24 amount, bool isNext) external {
        (, , uint48 before, uint32 sequence, ) = LEDGER.budgetOf(DATASET);
        uint48 price = amount % 500_000;
        bytes32 asked = keccak256(abi.encode(query, isNext ? sequence : 0));
        LEDGER.spend(DATASET, researcher(who), asked, price, isNext ? sequence + 1 : query);
        (, , uint48 afterwards, , ) = LEDGER.budgetOf(DATASET);
        if (afterwards < before) ++refunds;
        total += price;
        ++bookings;
        spentIn[year()] += price;
        spentByIn[year()][researcher(who)] += price;
    }

    /// @notice Lets up to 200 days pass.
    function pass(uint24 time) external {
        VM.warp(block.timestamp + (time % 200 days));
    }

    function researcher(uint256 who) public pure returns (address) {
        return address(uint160(1 + (who % RESEARCHERS)));
    }

    function year() public view returns (uint256) {
        return block.timestamp / 365 days;
    }
}

contract PrivacyLedgerInvariants is Test {
    LedgerActor private _actor;

    function setUp() public {
        _actor = new LedgerActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_neverAboveTheCapAndNeverLess() public view {
        (uint48 cap, , uint48 spent, uint32 sequence, uint64 total) = _actor.LEDGER().budgetOf(_actor.DATASET());
        _require(spent <= cap, "above the cap");
        _equal(spent, _actor.spentIn(_actor.year()), "spent this year");
        _equal(total, _actor.total(), "total");
        _equal(sequence, _actor.bookings(), "sequence");
        _equal(_actor.refunds(), 0, "given back");
    }

    function invariant_noResearcherAboveItsCap() public view {
        for (uint256 i = 0; i < _actor.RESEARCHERS(); ++i) {
            address researcher = _actor.researcher(i);
            (uint48 spent, ) = _actor.LEDGER().spentBy(_actor.DATASET(), researcher);
            _equal(spent, _actor.spentByIn(_actor.year(), researcher), "spent by one");
            _require(spent <= _actor.highestResearcherCap(), "above a researcher's cap");
        }
    }
}
