// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Audited} from "./Audited.sol";
import {IEscrowWarrant} from "./interfaces/IEscrowWarrant.sol";
import {EmergencyRate} from "./libraries/EmergencyRate.sol";
import {KeySets} from "./libraries/KeySets.sol";

/**
 * @title Warrants to open the additional identifiers of one row
 * @dev One slot a warrant, which is its replay guard: it never leaves `Cancelled` or `Executed`, and an auditor's bit is
 * set once. Stopping a warrant and telling the patient work while the contract is paused; opening a row does not.
 */
contract EscrowWarrant is IEscrowWarrant, Audited {
    bytes32 private constant WARRANT_OPENING_TYPEHASH = keccak256(
        "WarrantOpening(bytes32 row,bytes32 legalBasis,bytes32 caseDigest,bytes32 notice,bytes32 delayOrder,bool isEmergency,uint256 deadline)"
    );
    bytes32 private constant WARRANT_OBJECTION_TYPEHASH = keccak256(
        "WarrantObjection(bytes32 warrant,bytes32 reason,uint256 deadline)"
    );
    bytes32 private constant WARRANT_CANCELLATION_TYPEHASH = keccak256(
        "WarrantCancellation(bytes32 warrant,bytes32 courtOrder,uint256 deadline)"
    );
    bytes32 private constant WARRANT_NOTICE_TYPEHASH = keccak256(
        "WarrantNotice(bytes32 warrant,bytes32 notice,uint256 deadline)"
    );
    bytes32 private constant WARRANT_SHARE_TYPEHASH = keccak256(
        "WarrantShare(bytes32 warrant,bytes share,uint256 deadline)"
    );
    bytes32 private constant WARRANT_REVIEW_TYPEHASH = keccak256(
        "WarrantReview(bytes32 warrant,bytes32 finding,uint256 deadline)"
    );

    uint256 private constant WAIT = 72 hours;
    uint256 private constant EMERGENCY_WAIT = 1 hours;

    /// @dev How long shares may be posted after the wait.
    uint256 private constant USABLE = 14 days;

    uint256 private constant MAX_SHARE_BYTES = 256;

    mapping(bytes32 warrant => Warrant) private _warrants;
    EmergencyRate private _rate;

    constructor(address authority) AccessManaged(authority) EIP712("Salus EscrowWarrant", "1") {}

    /// @inheritdoc IEscrowWarrant
    function openWarrant(
        WarrantTerms calldata terms,
        AuditorSet calldata set,
        Approval[] calldata approvals
    ) external whenNotPaused returns (bytes32 warrant) {
        _requireInTime(terms.deadline);
        bool isNoticed = terms.notice != 0;
        bool isWhole = terms.row != 0 && terms.legalBasis != 0 && terms.caseDigest != 0;
        if (!isWhole || isNoticed == (terms.delayOrder != 0)) revert WarrantMalformed();
        warrant = keccak256(abi.encode(terms.row, terms.legalBasis, terms.caseDigest));
        if (_warrants[warrant].status != WarrantStatus.Unknown) revert WarrantAlreadyOpened(warrant);
        _requireAuditors(set);
        // Every field of the terms is static, so their encoding is the struct's, in the order of its type.
        uint16 openers = KeySets.requireApprovals(
            set.ids,
            terms.isEmergency ? set.threshold : 1,
            _hashTypedDataV4(keccak256(abi.encode(WARRANT_OPENING_TYPEHASH, terms))),
            approvals
        );

        if (terms.isEmergency) _beginEmergency(set, openers);
        uint40 unlocksAt = uint40(block.timestamp + (terms.isEmergency ? EMERGENCY_WAIT : WAIT));
        Warrant storage entry = _warrants[warrant];
        entry.status = WarrantStatus.Open;
        entry.version = _version;
        entry.openers = openers;
        entry.isEmergency = terms.isEmergency;
        entry.isNoticed = isNoticed;
        entry.unlocksAt = unlocksAt;
        entry.expiresAt = unlocksAt + uint40(USABLE);
        emit WarrantOpened(
            warrant,
            terms.row,
            terms.legalBasis,
            terms.caseDigest,
            terms.delayOrder,
            terms.isEmergency,
            unlocksAt
        );
        if (isNoticed) emit WarrantNoticed(warrant, terms.notice);
    }

    /// @inheritdoc IEscrowWarrant
    function objectTo(
        bytes32 warrant,
        bytes32 reason,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external {
        _requireInTime(deadline);
        Warrant storage entry = _open(warrant);
        uint16 place = _requireAuditor(
            set,
            keccak256(abi.encode(WARRANT_OBJECTION_TYPEHASH, warrant, reason, deadline)),
            approval
        );
        if (entry.objections & place != 0) revert AuditorActedBefore(approval.index);

        entry.objections |= place;
        emit WarrantObjected(warrant, approval.index, reason);
        if (_count(entry.objections) < set.objectors) return;
        entry.status = WarrantStatus.Cancelled;
        emit WarrantCancelled(warrant, 0);
    }

    /// @inheritdoc IEscrowWarrant
    function cancelByCourt(
        bytes32 warrant,
        bytes32 courtOrder,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external {
        _requireInTime(deadline);
        if (courtOrder == 0) revert WarrantMalformed();
        Warrant storage entry = _open(warrant);
        _requireAuditor(
            set,
            keccak256(abi.encode(WARRANT_CANCELLATION_TYPEHASH, warrant, courtOrder, deadline)),
            approval
        );

        entry.status = WarrantStatus.Cancelled;
        emit WarrantCancelled(warrant, courtOrder);
    }

    /// @inheritdoc IEscrowWarrant
    function postNotice(
        bytes32 warrant,
        bytes32 notice,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external {
        _requireInTime(deadline);
        Warrant storage entry = _warrants[warrant];
        if (entry.status == WarrantStatus.Unknown || entry.isNoticed || notice == 0) revert NoticeUnfit();
        _requireAuditor(set, keccak256(abi.encode(WARRANT_NOTICE_TYPEHASH, warrant, notice, deadline)), approval);

        entry.isNoticed = true;
        emit WarrantNoticed(warrant, notice);
    }

    /// @inheritdoc IEscrowWarrant
    function postShare(
        bytes32 warrant,
        bytes calldata share,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external whenNotPaused {
        _requireInTime(deadline);
        if (share.length == 0 || share.length > MAX_SHARE_BYTES) revert ShareSizeInvalid(share.length);
        Warrant storage entry = _usable(warrant);
        uint16 place = _requireAuditor(
            set,
            keccak256(abi.encode(WARRANT_SHARE_TYPEHASH, warrant, keccak256(share), deadline)),
            approval
        );
        if (entry.shares & place != 0) revert AuditorActedBefore(approval.index);

        entry.shares |= place;
        emit WarrantShared(warrant, approval.index, share);
    }

    /// @inheritdoc IEscrowWarrant
    function execute(bytes32 warrant, AuditorSet calldata set) external whenNotPaused {
        Warrant storage entry = _usable(warrant);
        _requireAuditors(set);
        uint16 shares = entry.shares;
        bool isEnough =
            _count(shares) >= set.threshold && _countOrganisations(set.organisations, shares) >= LEAST_ORGANISATIONS;
        if (!isEnough) revert SharesInsufficient(shares);

        entry.status = WarrantStatus.Executed;
        emit WarrantExecuted(warrant);
    }

    /// @inheritdoc IEscrowWarrant
    function review(
        bytes32 warrant,
        bytes32 finding,
        uint256 deadline,
        AuditorSet calldata set,
        AuditorSet calldata openedUnder,
        Approval[] calldata approvals
    ) external {
        _requireInTime(deadline);
        Warrant storage entry = _warrants[warrant];
        bool isUsable =
            entry.status == WarrantStatus.Open && entry.version == _version && block.timestamp < entry.expiresAt;
        if (!entry.isEmergency || entry.isReviewed || isUsable) revert ReviewUnfit();
        _requireAuditors(set);
        _requireAuditorsOf(entry.version, openedUnder);
        uint16 reviewers = KeySets.requireApprovals(
            set.ids,
            set.objectors,
            _hashTypedDataV4(keccak256(abi.encode(WARRANT_REVIEW_TYPEHASH, warrant, finding, deadline))),
            approvals
        );
        if (_haveOneInCommon(set.ids, reviewers, openedUnder.ids, entry.openers)) revert ReviewUnfit();

        entry.isReviewed = true;
        _rate = _rate.reviewed();
        emit WarrantReviewed(warrant, finding);
    }

    /// @inheritdoc IEscrowWarrant
    function warrantOf(bytes32 warrant) external view returns (Warrant memory) {
        return _warrants[warrant];
    }

    /// @inheritdoc IEscrowWarrant
    function emergencies() external view returns (bool isFree, uint8 waiting) {
        return (_rate.isFree(block.timestamp), _rate.waiting());
    }

    /// @dev A wait is shortened by three organisations, who leave enough auditors to look into it.
    function _beginEmergency(AuditorSet calldata set, uint16 openers) private {
        bool isFit =
            _countOrganisations(set.organisations, openers) >= LEAST_ORGANISATIONS &&
                _count(openers) + set.objectors <= set.ids.length;
        if (!isFit) revert OpenersUnfit(openers);
        if (!_rate.isFree(block.timestamp)) revert EmergenciesExhausted();
        _rate = _rate.begun(uint40(block.timestamp));
    }

    /// @dev A warrant that was neither stopped nor executed, and was opened under the auditors in force.
    function _open(bytes32 warrant) private view returns (Warrant storage entry) {
        entry = _warrants[warrant];
        if (entry.status != WarrantStatus.Open || entry.version != _version) revert WarrantNotOpen(warrant);
    }

    /// @dev An open warrant after its wait and before its end.
    function _usable(bytes32 warrant) private view returns (Warrant storage entry) {
        entry = _open(warrant);
        if (block.timestamp < entry.unlocksAt || block.timestamp >= entry.expiresAt)
            revert WarrantNotInTime(entry.unlocksAt, entry.expiresAt);
    }

    /// @dev Whether somebody has a place among both.
    function _haveOneInCommon(
        address[] calldata ids,
        uint16 places,
        address[] calldata otherIds,
        uint16 otherPlaces
    ) private pure returns (bool) {
        for (uint256 i = 0; i < ids.length; ++i) {
            if (places & (1 << i) == 0) continue;
            for (uint256 j = 0; j < otherIds.length; ++j)
                if (otherPlaces & (1 << j) != 0 && otherIds[j] == ids[i]) return true;
        }
        return false;
    }

    function _count(uint16 places) private pure returns (uint256 count) {
        for (; places != 0; places &= places - 1) ++count;
    }
}
