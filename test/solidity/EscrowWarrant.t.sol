// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {EscrowWarrant} from "../../contracts/EscrowWarrant.sol";
import {IAudited} from "../../contracts/interfaces/IAudited.sol";
import {IEscrowWarrant} from "../../contracts/interfaces/IEscrowWarrant.sol";
import {IKeySets} from "../../contracts/interfaces/IKeySets.sol";
import {Test} from "./Vm.sol";

/// @title Opens, stops and uses warrants in any order, and remembers what must never come back
contract WarrantActor is Test {
    uint256 private constant AUDITORS = 6;
    uint256 private constant NUMBER = 4;
    string private constant NAME = "Salus EscrowWarrant";

    EscrowWarrant public immutable WARRANTS;

    bytes32[] public opened;
    uint256[] public emergencyTimes;
    mapping(bytes32 warrant => uint256) public openedAt;
    mapping(bytes32 warrant => IEscrowWarrant.WarrantStatus) public finalStatus;
    /// @dev What must stay 0: used before its time or after its end, executed with too little, reviewed by an opener.
    uint256 public wrongs;

    constructor() {
        WARRANTS = new EscrowWarrant(address(new AccessManager(address(this))));
        bytes[] memory signers = new bytes[](AUDITORS);
        for (uint256 i = 0; i < AUDITORS; ++i) signers[i] = abi.encodePacked(VM.addr(i + 1));
        WARRANTS.setAuditors(signers, _set().organisations, 3, 2);
    }

    function open(uint8 which, bool isEmergency, uint8 places) external {
        IEscrowWarrant.WarrantTerms memory terms = IEscrowWarrant.WarrantTerms({
            row: bytes32(uint256(1 + (which % NUMBER))),
            legalBasis: "basis",
            caseDigest: keccak256(abi.encode(which % 32)),
            notice: "notice",
            delayOrder: 0,
            isEmergency: isEmergency,
            deadline: _deadline()
        });
        bytes32 typeHash = keccak256(
            "WarrantOpening(bytes32 row,bytes32 legalBasis,bytes32 caseDigest,bytes32 notice,bytes32 delayOrder,bool isEmergency,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, terms));
        bytes32 warrant = WARRANTS.openWarrant(terms, _set(), _approve(structHash, places));
        if (openedAt[warrant] != 0 || (isEmergency && (!_isOfThree(places) || _count(places) > 4))) ++wrongs;
        openedAt[warrant] = block.timestamp;
        opened.push(warrant);
        if (!isEmergency) return;
        emergencyTimes.push(block.timestamp);
        uint256 count = emergencyTimes.length;
        if (count > 3 && block.timestamp < emergencyTimes[count - 4] + 30 days) ++wrongs;
    }

    function objectTo(uint8 seed, uint8 who) external {
        bytes32 warrant = _pick(seed);
        bytes32 typeHash = keccak256("WarrantObjection(bytes32 warrant,bytes32 reason,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, warrant, bytes32(0), _deadline()));
        WARRANTS.objectTo(warrant, 0, _deadline(), _set(), _approval(structHash, who % AUDITORS));
        if (_count(WARRANTS.warrantOf(warrant).objections) == 2) _end(warrant, IEscrowWarrant.WarrantStatus.Cancelled);
    }

    function cancelByCourt(uint8 seed, uint8 who) external {
        // Rarely, or nothing would be left to use.
        if (who > 32) return;
        bytes32 warrant = _pick(seed);
        bytes32 typeHash = keccak256("WarrantCancellation(bytes32 warrant,bytes32 courtOrder,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, warrant, bytes32("order"), _deadline()));
        WARRANTS.cancelByCourt(warrant, "order", _deadline(), _set(), _approval(structHash, who % AUDITORS));
        _end(warrant, IEscrowWarrant.WarrantStatus.Cancelled);
    }

    function postShare(uint8 seed, uint8 who) external {
        bytes32 warrant = _pick(seed);
        bytes32 typeHash = keccak256("WarrantShare(bytes32 warrant,bytes share,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, warrant, keccak256(hex"01"), _deadline()));
        WARRANTS.postShare(warrant, hex"01", _deadline(), _set(), _approval(structHash, who % AUDITORS));
        _use(warrant);
    }

    function execute(uint8 seed) external {
        bytes32 warrant = _pick(seed);
        WARRANTS.execute(warrant, _set());
        _use(warrant);
        uint16 shares = WARRANTS.warrantOf(warrant).shares;
        if (!_isOfThree(shares)) ++wrongs;
        _end(warrant, IEscrowWarrant.WarrantStatus.Executed);
    }

    function review(uint8 seed, uint8 places) external {
        bytes32 warrant = _pick(seed);
        bytes32 typeHash = keccak256("WarrantReview(bytes32 warrant,bytes32 finding,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, warrant, bytes32(0), _deadline()));
        WARRANTS.review(warrant, 0, _deadline(), _set(), _set(), _approve(structHash, places));
        IEscrowWarrant.Warrant memory entry = WARRANTS.warrantOf(warrant);
        if (entry.status == IEscrowWarrant.WarrantStatus.Open && block.timestamp < entry.expiresAt) ++wrongs;
        if (!entry.isEmergency || entry.openers & places != 0 || _count(places % 64) < 2) ++wrongs;
    }

    /// @notice Lets up to four days pass.
    function pass(uint24 time) external {
        VM.warp(block.timestamp + (time % 4 days));
    }

    function countOpened() external view returns (uint256) {
        return opened.length;
    }

    function _use(bytes32 warrant) private {
        uint256 wait = WARRANTS.warrantOf(warrant).isEmergency ? 1 hours : 72 hours;
        bool isEarly = block.timestamp < openedAt[warrant] + wait;
        bool isLate = block.timestamp >= openedAt[warrant] + wait + 14 days;
        if (isEarly || isLate || finalStatus[warrant] != IEscrowWarrant.WarrantStatus.Unknown) ++wrongs;
    }

    function _end(bytes32 warrant, IEscrowWarrant.WarrantStatus status) private {
        if (finalStatus[warrant] != IEscrowWarrant.WarrantStatus.Unknown) ++wrongs;
        finalStatus[warrant] = status;
    }

    function _pick(uint8 seed) private view returns (bytes32) {
        return opened[seed % opened.length];
    }

    function _set() private pure returns (IAudited.AuditorSet memory set) {
        set = IAudited.AuditorSet(new address[](AUDITORS), new bytes32[](AUDITORS), 3, 2);
        for (uint256 i = 0; i < AUDITORS; ++i)
            (set.ids[i], set.organisations[i]) = (VM.addr(i + 1), bytes32(1 + i / 2));
    }

    function _approve(bytes32 structHash, uint16 places) private view returns (IKeySets.Approval[] memory approvals) {
        approvals = new IKeySets.Approval[](_count(places));
        uint256 next = 0;
        for (uint256 i = 0; i < AUDITORS; ++i) if (places & (1 << i) != 0) approvals[next++] = _approval(structHash, i);
    }

    function _approval(bytes32 structHash, uint256 index) private view returns (IKeySets.Approval memory) {
        bytes memory signature = _signTyped(index + 1, NAME, address(WARRANTS), structHash);
        return IKeySets.Approval(uint8(index), abi.encodePacked(VM.addr(index + 1)), signature);
    }

    /// @dev Auditors 2i and 2i + 1 are of one organisation.
    function _isOfThree(uint16 places) private pure returns (bool) {
        return places & 3 != 0 && places & 12 != 0 && places & 48 != 0;
    }

    function _count(uint16 places) private pure returns (uint256 count) {
        for (uint256 i = 0; i < AUDITORS; ++i) if (places & (1 << i) != 0) ++count;
    }

    function _deadline() private view returns (uint256) {
        return block.timestamp + 1 days;
    }
}

contract EscrowWarrantInvariants is Test {
    WarrantActor private _actor;

    function setUp() public {
        VM.warp(1_800_000_000);
        _actor = new WarrantActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_neverEarlyNeverLateNeverWithTooFew() public view {
        _equal(_actor.wrongs(), 0, "wrongs");
    }

    function invariant_stoppedAndExecutedStaySo() public view {
        EscrowWarrant warrants = _actor.WARRANTS();
        for (uint256 i = 0; i < _actor.countOpened(); ++i) {
            bytes32 warrant = _actor.opened(i);
            IEscrowWarrant.WarrantStatus expected = _actor.finalStatus(warrant);
            if (expected == IEscrowWarrant.WarrantStatus.Unknown) expected = IEscrowWarrant.WarrantStatus.Open;
            _require(warrants.warrantOf(warrant).status == expected, "status");
        }
    }
}
