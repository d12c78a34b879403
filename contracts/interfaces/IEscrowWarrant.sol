// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAudited} from "./IAudited.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Warrants to open the additional identifiers of one row
 * @notice A warrant opens one row of one release and no other. It waits 72 hours, in which auditors or a court can stop
 * it; then auditors of at least three organisations post their shares, and the patient is told. Every step is an event,
 * and none names the patient, the case or the reason.
 */
interface IEscrowWarrant is IAudited, ISignedRequests {
    /// @notice What the auditors sign to open a warrant.
    /// @param row commitment to the one sealed row
    /// @param legalBasis salted digest of the legal basis
    /// @param caseDigest salted digest of the case's number
    /// @param notice digest of the sealed notice to the patient; 0 exactly where a court ordered to delay it
    /// @param delayOrder digest of that order; 0 without one
    /// @param isEmergency whether it waits one hour instead, which takes a threshold of auditors and a review afterwards
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct WarrantTerms {
        bytes32 row;
        bytes32 legalBasis;
        bytes32 caseDigest;
        bytes32 notice;
        bytes32 delayOrder;
        bool isEmergency;
        uint256 deadline;
    }

    /// @notice Where a warrant stands. `Cancelled` and `Executed` are for ever.
    enum WarrantStatus {
        Unknown,
        Open,
        Cancelled,
        Executed
    }

    /// @notice What is kept of a warrant. The sets of auditors have a bit for each index.
    /// @param status where it stands
    /// @param version of the auditors it was opened under; it can be used under no others
    /// @param openers who opened it
    /// @param objections who objected
    /// @param shares who posted a share
    /// @param isEmergency whether it waited one hour only
    /// @param isNoticed whether the patient's notice was posted
    /// @param isReviewed whether the emergency was reviewed
    /// @param unlocksAt first moment a share may be posted, in seconds since 1970
    /// @param expiresAt first moment none may any longer
    struct Warrant {
        WarrantStatus status;
        uint16 version;
        uint16 openers;
        uint16 objections;
        uint16 shares;
        bool isEmergency;
        bool isNoticed;
        bool isReviewed;
        uint40 unlocksAt;
        uint40 expiresAt;
    }

    /// @notice A warrant was opened.
    /// @param warrant its id, `keccak256(abi.encode(row, legalBasis, caseDigest))`
    /// @param row commitment to the one sealed row
    /// @param legalBasis salted digest
    /// @param caseDigest salted digest
    /// @param delayOrder digest of a court's order to delay the notice; 0 without one
    /// @param isEmergency whether it waits one hour only
    /// @param unlocksAt first moment a share may be posted, in seconds since 1970
    event WarrantOpened(
        bytes32 indexed warrant,
        bytes32 indexed row,
        bytes32 legalBasis,
        bytes32 caseDigest,
        bytes32 delayOrder,
        bool isEmergency,
        uint40 unlocksAt
    );

    /// @notice The notice to the patient was posted.
    /// @param warrant its id
    /// @param notice digest of the sealed notice
    event WarrantNoticed(bytes32 indexed warrant, bytes32 notice);

    /// @notice An auditor objects.
    /// @param warrant its id
    /// @param index of the auditor
    /// @param reason salted digest
    event WarrantObjected(bytes32 indexed warrant, uint8 index, bytes32 reason);

    /// @notice A warrant was stopped for ever.
    /// @param warrant its id
    /// @param courtOrder digest of a court's order; 0 where enough auditors objected
    event WarrantCancelled(bytes32 indexed warrant, bytes32 courtOrder);

    /// @notice An auditor posted its share of the row's key.
    /// @param warrant its id
    /// @param index of the auditor
    /// @param share sealed to the authority of the case
    event WarrantShared(bytes32 indexed warrant, uint8 index, bytes share);

    /// @notice Enough shares are posted: the row can be opened.
    /// @param warrant its id
    event WarrantExecuted(bytes32 indexed warrant);

    /// @notice Auditors who did not open an emergency warrant have looked into it.
    /// @param warrant its id
    /// @param finding salted digest
    event WarrantReviewed(bytes32 indexed warrant, bytes32 finding);

    /// @notice A digest is missing, or there is not exactly one of the patient's notice and a court's order to delay it.
    error WarrantMalformed();

    /// @notice There is a warrant for this row, basis and case already.
    /// @param warrant its id
    error WarrantAlreadyOpened(bytes32 warrant);

    /// @notice There were three emergencies within 30 days, or three wait for their review.
    error EmergenciesExhausted();

    /// @notice Who opens an emergency are of fewer than three organisations, or leave fewer others than a review takes.
    /// @param openers a bit for each auditor who signed
    error OpenersUnfit(uint16 openers);

    /// @notice The warrant is unknown, was stopped or executed, or other auditors are in force.
    /// @param warrant its id
    error WarrantNotOpen(bytes32 warrant);

    /// @notice It is too early, or too late, for a share.
    /// @param unlocksAt first moment, in seconds since 1970
    /// @param expiresAt first moment too late
    error WarrantNotInTime(uint40 unlocksAt, uint40 expiresAt);

    /// @notice This auditor has done this before.
    /// @param index of the auditor
    error AuditorActedBefore(uint8 index);

    /// @notice A share has 1 to 256 bytes.
    /// @param sizeBytes as given
    error ShareSizeInvalid(uint256 sizeBytes);

    /// @notice Too few shares, or from fewer than three organisations.
    /// @param shares a bit for each auditor who posted one
    error SharesInsufficient(uint16 shares);

    /// @notice The notice was posted before, or names nothing.
    error NoticeUnfit();

    /// @notice Nothing to review, reviewed before, not over yet, or an opener among the reviewers.
    error ReviewUnfit();

    /// @notice Opens a warrant. Signed:
    /// `WarrantOpening(bytes32 row,bytes32 legalBasis,bytes32 caseDigest,bytes32 notice,bytes32 delayOrder,bool isEmergency,uint256 deadline)`.
    /// @param terms of the warrant
    /// @param set the auditors in force
    /// @param approvals of one of them, or of a threshold from three organisations in an emergency
    /// @return warrant its id
    function openWarrant(
        WarrantTerms calldata terms,
        AuditorSet calldata set,
        Approval[] calldata approvals
    ) external returns (bytes32 warrant);

    /// @notice Objects to an open warrant; enough objections stop it for ever. Signed:
    /// `WarrantObjection(bytes32 warrant,bytes32 reason,uint256 deadline)`.
    /// @param warrant its id
    /// @param reason salted digest
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the auditors in force
    /// @param approval of one of them
    function objectTo(
        bytes32 warrant,
        bytes32 reason,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external;

    /// @notice Brings a court's order that stops an open warrant for ever. Signed:
    /// `WarrantCancellation(bytes32 warrant,bytes32 courtOrder,uint256 deadline)`.
    /// @param warrant its id
    /// @param courtOrder digest of the order
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the auditors in force
    /// @param approval of one of them
    function cancelByCourt(
        bytes32 warrant,
        bytes32 courtOrder,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external;

    /// @notice Posts the notice to the patient that a court had delayed. Signed:
    /// `WarrantNotice(bytes32 warrant,bytes32 notice,uint256 deadline)`.
    /// @param warrant its id
    /// @param notice digest of the sealed notice
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the auditors in force
    /// @param approval of one of them
    function postNotice(
        bytes32 warrant,
        bytes32 notice,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external;

    /// @notice Posts an auditor's share, after the wait. Signed:
    /// `WarrantShare(bytes32 warrant,bytes share,uint256 deadline)`.
    /// @param warrant its id
    /// @param share sealed to the authority of the case, 1 to 256 bytes: everybody can read the chain
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the auditors in force
    /// @param approval of the auditor
    function postShare(
        bytes32 warrant,
        bytes calldata share,
        uint256 deadline,
        AuditorSet calldata set,
        Approval calldata approval
    ) external;

    /// @notice Marks a warrant as executed once enough shares are posted. Anybody may.
    /// @param warrant its id
    /// @param set the auditors in force
    function execute(bytes32 warrant, AuditorSet calldata set) external;

    /// @notice Marks an emergency as reviewed, once it was stopped, used, or can no longer be. Signed:
    /// `WarrantReview(bytes32 warrant,bytes32 finding,uint256 deadline)`.
    /// @param warrant its id
    /// @param finding salted digest
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the auditors in force
    /// @param openedUnder the auditors under whom it was opened, often the same
    /// @param approvals of as many as can stop a warrant, none of whom opened it, wherever in either set it stands
    function review(
        bytes32 warrant,
        bytes32 finding,
        uint256 deadline,
        AuditorSet calldata set,
        AuditorSet calldata openedUnder,
        Approval[] calldata approvals
    ) external;

    /// @notice Where a warrant stands.
    /// @param warrant its id
    /// @return what is kept of it
    function warrantOf(bytes32 warrant) external view returns (Warrant memory);

    /// @notice Whether an emergency may begin now.
    /// @return isFree whether it may
    /// @return waiting how many wait for their review
    function emergencies() external view returns (bool isFree, uint8 waiting);
}
