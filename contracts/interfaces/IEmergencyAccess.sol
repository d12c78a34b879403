// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EmergencyPolicy} from "../libraries/EmergencyPolicy.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Breaking the glass: access without the patient's signature, for hours, in the open
 * @notice Credentialed staff declare an emergency under their own signature. It ends by itself, is bounded by what the patient
 * allows, by rates and by a cap that nobody can lift, and somebody of another organisation reviews it. No function here
 * lets governance declare an emergency or keep one from being declared; it bounds the rates and reviews, and elsewhere,
 * after its delay, it accredits the organisations whose staff declare. Whoever keeps shares of keys follows the events and
 * {isActive}.
 */
interface IEmergencyAccess is ISignedRequests {
    /// @notice What makes up an emergency's id, `keccak256(abi.encode(emergency))`.
    /// @param patient whose record
    /// @param credential of the responder
    /// @param secondCredential of the second responder; 0 if there is none
    /// @param salt random
    struct Emergency {
        bytes32 patient;
        bytes32 credential;
        bytes32 secondCredential;
        bytes32 salt;
    }

    /// @notice A responder's key and its signature.
    /// @param signer in the form of ERC-7913
    /// @param signature of that signer
    struct Responder {
        bytes signer;
        bytes signature;
    }

    /// @notice What a review found. Given once.
    enum Outcome {
        Unreviewed,
        Justified,
        Questionable,
        Unjustified
    }

    /// @notice What the contract keeps of an emergency.
    /// @param beganAt start, in seconds since 1970
    /// @param expiresAt end, in seconds since 1970; brought forward by {end}, never put off
    /// @param firstTicket place among what awaits review of the responder
    /// @param secondTicket the same of the second responder
    /// @param outcome of the review
    /// @param isDisputed whether the patient disputes it
    struct State {
        uint40 beganAt;
        uint40 expiresAt;
        uint32 firstTicket;
        uint32 secondTicket;
        Outcome outcome;
        bool isDisputed;
    }

    /// @notice What governance bounds. Durations are seconds.
    /// @param perResponder emergencies a responder may declare at once, and over each `window`; 2 to 1,000
    /// @param perPatient the same of a patient; no responder has more than half of it
    /// @param window in which what was used up comes back; 1 hour to 1 day
    /// @param reviewWithin time in which an emergency should be reviewed; 1 day, the longest emergency, to 30 days
    /// @param maxOverdue overdue reviews that stop a responder; 1 to 8
    /// @param blockFor time for which an unjustified emergency stops its responders; at most a year
    struct Limits {
        uint16 perResponder;
        uint16 perPatient;
        uint32 window;
        uint32 reviewWithin;
        uint8 maxOverdue;
        uint32 blockFor;
    }

    /// @notice A patient said what it allows in an emergency.
    /// @param patient who says so
    /// @param policy what is allowed, packed
    event EmergencyPolicySet(bytes32 indexed patient, EmergencyPolicy policy);

    /// @notice An emergency was declared, and is active.
    /// @param patient whose record
    /// @param emergency its id
    /// @param credential of the responder
    /// @param secondCredential of the second responder; 0 if there is none
    /// @param salt of the id
    /// @param reason keccak-256 of the salted reason
    /// @param expiresAt end, in seconds since 1970
    event GlassBroken(
        bytes32 indexed patient,
        bytes32 indexed emergency,
        bytes32 credential,
        bytes32 secondCredential,
        bytes32 salt,
        bytes32 reason,
        uint40 expiresAt
    );

    /// @notice An emergency was ended before its time.
    /// @param emergency its id
    /// @param by id of who ended it
    event EmergencyEnded(bytes32 indexed emergency, address by);

    /// @notice A patient disputes an emergency.
    /// @param emergency its id
    /// @param statement keccak-256 of the salted statement
    event EmergencyDisputed(bytes32 indexed emergency, bytes32 statement);

    /// @notice An emergency was reviewed.
    /// @param emergency its id
    /// @param outcome what was found
    /// @param report keccak-256 of the salted report
    /// @param by id of the reviewer
    event EmergencyReviewed(bytes32 indexed emergency, Outcome outcome, bytes32 report, address by);

    /// @notice A responder may not declare emergencies for a time.
    /// @param responder its id
    /// @param until end, in seconds since 1970
    event ResponderBlocked(address indexed responder, uint40 until);

    /// @notice A block was lifted before its time.
    /// @param responder its id
    /// @param reason keccak-256 of the salted reason
    /// @param by who lifted it
    event ResponderBlockLifted(address indexed responder, bytes32 reason, address by);

    /// @notice Governance changed the bounds.
    /// @param limits the new ones
    event LimitsChanged(Limits limits);

    /// @notice No such patient on this chain; passed on from {IPatientRegistry}.
    /// @param patient the id
    error PatientUnknown(bytes32 patient);

    /// @notice The credential is not valid now; passed on from {ICredentialRegistry}.
    /// @param credential the credential
    error CredentialNotValid(bytes32 credential);

    /// @notice No such credential on this chain; passed on from {ICredentialRegistry}.
    /// @param credential the credential
    error CredentialUnknown(bytes32 credential);

    /// @notice The policy cannot be meant: it allows nothing without saying so, or more than anybody can have.
    /// @param policy as given
    error EmergencyPolicyUnsound(EmergencyPolicy policy);

    /// @notice A bound lies outside of what governance may choose.
    error LimitsOutOfRange();

    /// @notice An emergency is declared when it happens: sign it with a deadline at most an hour ahead.
    /// @param deadline as given
    error EmergencyDeadlineTooFar(uint256 deadline);

    /// @notice A reason's digest is never zero.
    error EmergencyReasonMissing();

    /// @notice The emergency was declared before; a relayer may take this for success.
    /// @param emergency its id
    error EmergencyAlreadyDeclared(bytes32 emergency);

    /// @notice No such emergency on this chain.
    /// @param emergency its id
    error EmergencyUnknown(bytes32 emergency);

    /// @notice The patient allows no emergency access.
    /// @param patient the id
    error EmergencyNotAllowed(bytes32 patient);

    /// @notice The patient does not allow it to somebody in this role.
    /// @param role of the responder
    error EmergencyRoleExcluded(uint16 role);

    /// @notice The emergency would last no time, or longer than the patient allows.
    /// @param duration as given, in seconds
    /// @param maxDuration of the patient's policy, in seconds
    error EmergencyDurationOutOfRange(uint32 duration, uint32 maxDuration);

    /// @notice There are not as many signatures as credentials.
    /// @param given how many
    /// @param expected how many
    error EmergencySignaturesMiscounted(uint256 given, uint256 expected);

    /// @notice Fewer responders than the patient demands.
    /// @param given how many
    /// @param required how many
    error EmergencyRespondersTooFew(uint256 given, uint256 required);

    /// @notice The two responders are the same one.
    /// @param responder its id
    error EmergencyResponderTwice(address responder);

    /// @notice The patient's last emergency began too recently.
    /// @param until when the next one may be declared, in seconds since 1970
    error EmergencyTooSoon(uint256 until);

    /// @notice Too many emergencies of one patient; wait.
    /// @param patient the id
    error EmergencyPatientTooOften(bytes32 patient);

    /// @notice Too many emergencies by one responder, of all patients or of this one; wait, or let a colleague declare.
    /// @param responder its id
    error EmergencyResponderTooOften(address responder);

    /// @notice An emergency of this responder was found unjustified.
    /// @param responder its id
    /// @param until end, in seconds since 1970
    error EmergencyResponderBlocked(address responder, uint40 until);

    /// @notice There is no block to lift.
    /// @param responder its id
    error EmergencyResponderNotBlocked(address responder);

    /// @notice Too many emergencies of this responder await review for too long.
    /// @param responder its id
    error EmergencyReviewsOverdue(address responder);

    /// @notice The emergency is over already.
    /// @param emergency its id
    error EmergencyIsOver(bytes32 emergency);

    /// @notice The emergency is not over yet; a review is about the whole of it.
    /// @param emergency its id
    /// @param expiresAt end, in seconds since 1970
    error EmergencyNotOver(bytes32 emergency, uint40 expiresAt);

    /// @notice The patient has disputed the emergency already.
    /// @param emergency its id
    error EmergencyAlreadyDisputed(bytes32 emergency);

    /// @notice The emergency has been reviewed already.
    /// @param emergency its id
    error EmergencyAlreadyReviewed(bytes32 emergency);

    /// @notice A review finds something, and has a report.
    error EmergencyReviewEmpty();

    /// @notice The credential is not one of a reviewer.
    /// @param credential the credential
    error ReviewerRoleMissing(bytes32 credential);

    /// @notice The reviewer is of a responder's organisation or signs for it, is a responder, or is of an organisation that
    /// a responder, or the signer of a responder's organisation, signs for; or a reviewer would lift its own block.
    /// @param credential of the reviewer; 0 for governance's
    error ReviewerNotIndependent(bytes32 credential);

    /// @notice Says what a patient allows in an emergency, at once. Allowing more waits while paused; allowing less never does.
    /// Signed by the patient:
    /// `EmergencyPolicy(bytes32 patient,bool isAllowed,uint8 responders,uint32 roles,uint32 maxDuration,uint32 coolDown,uint256 nonce,uint256 deadline)`.
    /// @param patient who says so
    /// @param policy what is allowed, packed
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer of the patient
    /// @param signature of the patient
    function setPolicy(
        bytes32 patient,
        EmergencyPolicy policy,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Declares an emergency; never paused. Signed by each responder:
    /// `BreakGlass(bytes32 patient,bytes32 credential,bytes32 secondCredential,bytes32 salt,bytes32 reason,uint32 duration,uint256 deadline)`.
    /// @param emergency what makes up its id
    /// @param reason keccak-256 of the salted reason
    /// @param duration how long it lasts at most, in seconds
    /// @param deadline last moment to submit, in seconds since 1970, at most an hour ahead
    /// @param responders signatures, in the order of the credentials
    function breakGlass(
        Emergency calldata emergency,
        bytes32 reason,
        uint32 duration,
        uint256 deadline,
        Responder[] calldata responders
    ) external;

    /// @notice Ends an active emergency at once; never paused. Signed by the patient, a responder or a responder's
    /// organisation: `EmergencyEnd(bytes32 emergency,uint256 deadline)`.
    /// @param emergency what makes up its id
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer who ends it, in the form of ERC-7913
    /// @param signature of who ends it
    function end(
        Emergency calldata emergency,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Disputes an emergency, once, at any time. Signed by the patient:
    /// `EmergencyDispute(bytes32 emergency,bytes32 statement,uint256 deadline)`.
    /// @param emergency what makes up its id
    /// @param statement keccak-256 of the salted statement
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer of the patient
    /// @param signature of the patient
    function dispute(
        Emergency calldata emergency,
        bytes32 statement,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Reviews an emergency that is over, once. For governance's reviewers alone; never paused.
    /// @param emergency what makes up its id
    /// @param outcome what was found
    /// @param report keccak-256 of the salted report
    function review(Emergency calldata emergency, Outcome outcome, bytes32 report) external;

    /// @notice Reviews an emergency that is over, once; never paused. Signed by the holder of a reviewer's credential of
    /// an organisation that is none of the responders':
    /// `EmergencyReview(bytes32 emergency,uint8 outcome,bytes32 report,bytes32 reviewerCredential,uint256 deadline)`.
    /// @param emergency what makes up its id
    /// @param outcome what was found
    /// @param report keccak-256 of the salted report
    /// @param reviewerCredential of the reviewer
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param reviewer key and signature
    function reviewByCredential(
        Emergency calldata emergency,
        Outcome outcome,
        bytes32 report,
        bytes32 reviewerCredential,
        uint256 deadline,
        Responder calldata reviewer
    ) external;

    /// @notice Lifts the block of a responder whom a review stopped wrongly; what the review found stays. For governance's
    /// reviewers alone, none of whom lifts its own; never paused.
    /// @param responder its id
    /// @param reason keccak-256 of the salted reason
    function liftBlock(address responder, bytes32 reason) external;

    /// @notice Changes the bounds. For governance alone, after its delay.
    /// @param limits the new ones
    function setLimits(Limits calldata limits) external;

    /// @notice Whether an emergency is active at a time, as far as is known now: one that is active at a time to come
    /// may still be ended before it.
    /// @param emergency its id
    /// @param time in seconds since 1970
    /// @return whether it is
    function isActive(bytes32 emergency, uint256 time) external view returns (bool);

    /// @notice What is kept of an emergency.
    /// @param emergency its id
    /// @return what is kept
    function stateOf(bytes32 emergency) external view returns (State memory);

    /// @notice What a patient allows in an emergency.
    /// @param patient the id
    /// @return policy what is allowed, packed
    /// @return isOwn whether the patient said so; otherwise it is what holds for everybody who said nothing
    function policyOf(bytes32 patient) external view returns (EmergencyPolicy policy, bool isOwn);

    /// @notice The number that the patient's next policy signs.
    /// @param patient the id
    /// @return the number
    function policyNonceOf(bytes32 patient) external view returns (uint256);

    /// @notice Where a responder stands.
    /// @param responder its id
    /// @return blockedUntil end of a block, in seconds since 1970; 0 if there was none
    /// @return unreviewed how many of its emergencies await review
    /// @return isOverdue whether so many are overdue that it is stopped
    function responderOf(
        address responder
    ) external view returns (uint40 blockedUntil, uint32 unreviewed, bool isOverdue);

    /// @notice The bounds at present.
    /// @return the bounds
    function limits() external view returns (Limits memory);
}
