// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {EmergencyPolicies} from "./EmergencyPolicies.sol";
import {EmergencyReviews} from "./EmergencyReviews.sol";
import {ICredentialRegistry} from "./interfaces/ICredentialRegistry.sol";
import {IEmergencyAccess} from "./interfaces/IEmergencyAccess.sol";
import {IPatientRegistry} from "./interfaces/IPatientRegistry.sol";
import {CredentialRoles} from "./libraries/CredentialRoles.sol";
import {CredentialTerms} from "./libraries/CredentialTerms.sol";
import {EmergencyPolicy} from "./libraries/EmergencyPolicy.sol";
import {Signers} from "./libraries/Signers.sol";

/**
 * @title Breaking the glass: access without the patient's signature, for hours, in the open
 * @dev An emergency: declared (responders) -> over (time, or {end}) -> reviewed (once). Its slot is the replay guard:
 * once written it is never zero again. Who the responders were is read from their credentials, which keep holder and
 * organisation when they are revoked. An emergency's {State} is one slot:
 *
 *  255     160 159         152 151       144 143            112 111             80 79         40 40           0
 * +-----------+---------------+-------------+------------------+------------------+-------------+-------------+
 * |  unused   |  isDisputed   |   outcome   |   secondTicket   |   firstTicket    |  expiresAt  |   beganAt   |
 * +-----------+---------------+-------------+------------------+------------------+-------------+-------------+
 */
contract EmergencyAccess is EmergencyPolicies, EmergencyReviews {
    /// @dev An emergency is declared when it happens, not signed today for next week.
    uint256 private constant MAX_EMERGENCY_DEADLINE_AHEAD = 1 hours;

    bytes32 private constant BREAK_GLASS_TYPEHASH = keccak256(
        "BreakGlass(bytes32 patient,bytes32 credential,bytes32 secondCredential,bytes32 salt,bytes32 reason,uint32 duration,uint256 deadline)"
    );
    bytes32 private constant EMERGENCY_END_TYPEHASH = keccak256("EmergencyEnd(bytes32 emergency,uint256 deadline)");
    bytes32 private constant EMERGENCY_DISPUTE_TYPEHASH = keccak256(
        "EmergencyDispute(bytes32 emergency,bytes32 statement,uint256 deadline)"
    );
    bytes32 private constant EMERGENCY_REVIEW_TYPEHASH = keccak256(
        "EmergencyReview(bytes32 emergency,uint8 outcome,bytes32 report,bytes32 reviewerCredential,uint256 deadline)"
    );

    /// @notice Who says what a credential is worth.
    ICredentialRegistry public immutable credentials;

    mapping(bytes32 emergency => State) private _states;

    constructor(
        address authority,
        IPatientRegistry patients_,
        ICredentialRegistry credentials_
    ) EIP712("Salus EmergencyAccess", "1") AccessManaged(authority) EmergencyPolicies(patients_) {
        credentials = credentials_;
    }

    /// @inheritdoc IEmergencyAccess
    function breakGlass(
        Emergency calldata emergency,
        bytes32 reason,
        uint32 duration,
        uint256 deadline,
        Responder[] calldata responders
    ) external {
        _requireInTime(deadline);
        if (deadline > block.timestamp + MAX_EMERGENCY_DEADLINE_AHEAD) revert EmergencyDeadlineTooFar(deadline);
        if (reason == 0) revert EmergencyReasonMissing();
        uint256 count = emergency.secondCredential == 0 ? 1 : 2;
        if (responders.length != count) revert EmergencySignaturesMiscounted(responders.length, count);
        bytes32 id = _idOf(emergency);
        State storage state = _states[id];
        if (state.beganAt != 0) revert EmergencyAlreadyDeclared(id);
        EmergencyPolicy policy = _begin(emergency.patient, count, duration);
        _countPatient(emergency.patient);
        bytes32 structHash = keccak256(abi.encode(BREAK_GLASS_TYPEHASH, emergency, reason, duration, deadline));

        uint40 expiresAt = uint40(block.timestamp + duration);
        state.beganAt = uint40(block.timestamp);
        state.expiresAt = expiresAt;
        address first = _requireResponder(emergency.credential, policy, structHash, responders[0]);
        state.firstTicket = _countResponder(first, emergency.patient);
        if (count == 2) {
            address second = _requireResponder(emergency.secondCredential, policy, structHash, responders[1]);
            if (second == first) revert EmergencyResponderTwice(first);
            state.secondTicket = _countResponder(second, emergency.patient);
        }
        emit GlassBroken(
            emergency.patient,
            id,
            emergency.credential,
            emergency.secondCredential,
            emergency.salt,
            reason,
            expiresAt
        );
    }

    /// @inheritdoc IEmergencyAccess
    function end(
        Emergency calldata emergency,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        (bytes32 id, State storage state) = _known(emergency);
        if (block.timestamp >= state.expiresAt) revert EmergencyIsOver(id);
        bytes32 structHash = keccak256(abi.encode(EMERGENCY_END_TYPEHASH, id, deadline));
        address by = Signers.id(signer);
        if (_isInvolved(by, emergency)) _requireSignedBy(by, signer, structHash, signature);
        else _requireSignedByPatient(emergency.patient, structHash, signer, signature);

        state.expiresAt = uint40(block.timestamp);
        emit EmergencyEnded(id, by);
    }

    /// @inheritdoc IEmergencyAccess
    function dispute(
        Emergency calldata emergency,
        bytes32 statement,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        (bytes32 id, State storage state) = _known(emergency);
        if (state.isDisputed) revert EmergencyAlreadyDisputed(id);
        _requireSignedByPatient(
            emergency.patient,
            keccak256(abi.encode(EMERGENCY_DISPUTE_TYPEHASH, id, statement, deadline)),
            signer,
            signature
        );

        state.isDisputed = true;
        emit EmergencyDisputed(id, statement);
    }

    /// @inheritdoc IEmergencyAccess
    function review(Emergency calldata emergency, Outcome outcome, bytes32 report) external restricted {
        _known(emergency);
        if (_isInvolved(msg.sender, emergency)) revert ReviewerNotIndependent(0);
        _review(emergency, outcome, report, msg.sender);
    }

    /// @inheritdoc IEmergencyAccess
    function reviewByCredential(
        Emergency calldata emergency,
        Outcome outcome,
        bytes32 report,
        bytes32 reviewerCredential,
        uint256 deadline,
        Responder calldata reviewer
    ) external {
        _requireInTime(deadline);
        (bytes32 organisation, CredentialTerms terms) = credentials.requireValid(reviewerCredential);
        if (terms.role() != CredentialRoles.REVIEWER) revert ReviewerRoleMissing(reviewerCredential);
        address by = terms.holder();
        bool isOfTheirs = _isOf(organisation, emergency.credential) || _isOf(organisation, emergency.secondCredential);
        if (isOfTheirs || _isInvolved(by, emergency) || _isInvolved(credentials.signerOf(organisation), emergency))
            revert ReviewerNotIndependent(reviewerCredential);
        bytes32 structHash = keccak256(
            abi.encode(EMERGENCY_REVIEW_TYPEHASH, _idOf(emergency), outcome, report, reviewerCredential, deadline)
        );
        _requireSignedBy(by, reviewer.signer, structHash, reviewer.signature);
        _review(emergency, outcome, report, by);
    }

    /// @inheritdoc IEmergencyAccess
    function isActive(bytes32 emergency, uint256 time) external view returns (bool) {
        State storage state = _states[emergency];
        return time >= state.beganAt && time < state.expiresAt;
    }

    /// @inheritdoc IEmergencyAccess
    function stateOf(bytes32 emergency) external view returns (State memory) {
        if (_states[emergency].beganAt == 0) revert EmergencyUnknown(emergency);
        return _states[emergency];
    }

    function _review(Emergency calldata emergency, Outcome outcome, bytes32 report, address by) private {
        (bytes32 id, State storage state) = _known(emergency);
        if (outcome == Outcome.Unreviewed || report == 0) revert EmergencyReviewEmpty();
        if (state.outcome != Outcome.Unreviewed) revert EmergencyAlreadyReviewed(id);
        if (block.timestamp < state.expiresAt) revert EmergencyNotOver(id, state.expiresAt);

        state.outcome = outcome;
        emit EmergencyReviewed(id, outcome, report, by);
        _settle(_holderOf(emergency.credential), state.firstTicket, outcome);
        if (emergency.secondCredential != 0)
            _settle(_holderOf(emergency.secondCredential), state.secondTicket, outcome);
    }

    /// @dev Reverts unless the credential's holder signed, may do so now, and the patient allows its role.
    function _requireResponder(
        bytes32 credential,
        EmergencyPolicy policy,
        bytes32 structHash,
        Responder calldata responder
    ) private view returns (address holder) {
        (, CredentialTerms terms) = credentials.requireValid(credential);
        if (!CredentialRoles.isIn(terms.role(), policy.roles())) revert EmergencyRoleExcluded(terms.role());
        holder = terms.holder();
        _requireSignedBy(holder, responder.signer, structHash, responder.signature);
    }

    /// @dev Whether `id` holds the credential or signs for the organisation that issued it.
    function _speaksFor(address id, bytes32 credential) private view returns (bool) {
        if (credential == 0) return false;
        (bytes32 organisation, CredentialTerms terms) = credentials.credentialOf(credential);
        return terms.holder() == id || credentials.signerOf(organisation) == id;
    }

    /// @dev Whether `id` speaks for either responder, and so must not review.
    function _isInvolved(address id, Emergency calldata emergency) private view returns (bool) {
        return _speaksFor(id, emergency.credential) || _speaksFor(id, emergency.secondCredential);
    }

    /// @dev Whether the organisation issued the credential.
    function _isOf(bytes32 organisation, bytes32 credential) private view returns (bool) {
        if (credential == 0) return false;
        (bytes32 theirs, ) = credentials.credentialOf(credential);
        return organisation == theirs;
    }

    function _holderOf(bytes32 credential) private view returns (address) {
        (, CredentialTerms terms) = credentials.credentialOf(credential);
        return terms.holder();
    }

    function _known(Emergency calldata emergency) private view returns (bytes32 id, State storage state) {
        id = _idOf(emergency);
        state = _states[id];
        if (state.beganAt == 0) revert EmergencyUnknown(id);
    }

    function _idOf(Emergency calldata emergency) private pure returns (bytes32) {
        return keccak256(abi.encode(emergency));
    }
}
