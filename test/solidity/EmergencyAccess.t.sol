// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessGrants} from "../../contracts/AccessGrants.sol";
import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {IEmergencyAccess} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {EmergencyPolicy} from "../../contracts/libraries/EmergencyPolicy.sol";
import {CareActor} from "./CareActor.sol";
import {Test} from "./Vm.sol";

/// @title Breaks the glass, ends, reviews, suspends and waits in any order, and keeps its own books
contract EmergencyActor is CareActor {
    uint256 private constant PATIENT_KEY = 0x9a71e47;
    uint256 private constant ORGANISATION_KEY = 0x0c0;
    uint256 private constant HOLDER_KEY = 0xade;
    uint256 private constant STAFF = 6;
    uint256 private constant REVIEW_WITHIN = 1 days;
    uint256 private constant MAX_OVERDUE = 1;
    bytes32 private constant SALT = bytes32(uint256(7));
    string private constant NAME = "Salus EmergencyAccess";

    struct Staff {
        bytes32 organisation;
        bytes32 credential;
        uint256 key;
        uint16 role;
        uint256 expiresAt;
        bool isRevoked;
        uint256 blockedUntil;
    }

    struct Case {
        IEmergencyAccess.Emergency emergency;
        uint256[2] responders;
        uint256 count;
        uint256 openedAt;
        uint256 mustEndBy;
        bool isReviewed;
    }

    struct Policy {
        bool isAllowed;
        uint8 responders;
        uint32 roles;
        uint32 maxDuration;
        uint32 coolDown;
    }

    EmergencyAccess public immutable EMERGENCIES;
    bytes32 public immutable PATIENT;
    /// @notice What happened that never should.
    string public violation;

    bytes32[2] private _organisations;
    bool[2] private _isSuspended;
    Staff[STAFF] private _staff;
    Case[] private _cases;
    Policy private _policy = Policy(true, 1, 0xe, 4 hours, 0);
    uint256 private _nonce;

    constructor() {
        AccessGrants patients = new AccessGrants(address(MANAGER));
        EMERGENCIES = new EmergencyAccess(address(MANAGER), patients, CREDENTIALS);
        // Fewer and sooner than at first, so that a short run gets there.
        EMERGENCIES.setLimits(
            IEmergencyAccess.Limits(12, 2, 1 days, uint32(REVIEW_WITHIN), uint8(MAX_OVERDUE), 30 days)
        );
        bytes memory signer = abi.encodePacked(VM.addr(PATIENT_KEY));
        bytes32 patient = keccak256(abi.encode(keccak256(signer), bytes32(0)));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)"),
                patient,
                keccak256(signer),
                keccak256("bundle"),
                _deadline()
            )
        );
        bytes memory signature = _signTyped(PATIENT_KEY, "Salus AccessGrants", address(patients), structHash);
        PATIENT = patients.register(signer, keccak256("bundle"), bytes32(0), _deadline(), signature);

        // Three of each organisation: physician, nurse, reviewer.
        uint16[3] memory roles = [uint16(1), 2, 19];
        for (uint256 i = 0; i < 2; ++i) _organisations[i] = _accredit(ORGANISATION_KEY + i);
        for (uint256 i = 0; i < STAFF; ++i) {
            Staff storage one = _staff[i];
            one.organisation = _organisations[i / 3];
            one.key = HOLDER_KEY + i;
            one.role = roles[i % 3];
            one.expiresAt = block.timestamp + (i + 1) * 10 days;
            one.credential = credentialOf(one.organisation, one.key, SALT);
            _issue(one.organisation, ORGANISATION_KEY + i / 3, one.key, one.role, 0, uint32(one.expiresAt), SALT);
        }
    }

    function caseCount() external view returns (uint256) {
        return _cases.length;
    }

    function caseOf(uint256 index) external view returns (Case memory) {
        return _cases[index];
    }

    /// @notice Mostly as the policy has it: what is refused teaches little.
    function breakGlass(uint256 seed, uint32 duration) external {
        Case memory one;
        one.responders = [_someone(seed), _someone(seed >> 8)];
        one.count = seed % 8 == 0 ? 3 - _policy.responders : _policy.responders;
        bool isPair = one.count == 2;
        if (seed % 7 != 0 && _policy.isAllowed) duration = duration % _policy.maxDuration;
        one.emergency = IEmergencyAccess.Emergency({
            patient: PATIENT,
            credential: _staff[one.responders[0]].credential,
            secondCredential: isPair ? _staff[one.responders[1]].credential : bytes32(0),
            salt: bytes32(_cases.length)
        });
        duration = duration % 30 hours;
        IEmergencyAccess.Responder[] memory responders = new IEmergencyAccess.Responder[](one.count);
        bytes32 typeHash = keccak256(
            "BreakGlass(bytes32 patient,bytes32 credential,bytes32 secondCredential,bytes32 salt,bytes32 reason,uint32 duration,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, one.emergency, keccak256("reason"), duration, _deadline()));
        for (uint256 i = 0; i < one.count; ++i) responders[i] = _by(_staff[one.responders[i]].key, structHash);
        EMERGENCIES.breakGlass(one.emergency, keccak256("reason"), duration, _deadline(), responders);

        one.openedAt = block.timestamp;
        one.mustEndBy = block.timestamp + duration;
        _checkPolicy(one, duration);
        for (uint256 i = 0; i < one.count; ++i) _checkResponder(_staff[one.responders[i]], one.responders[i]);
        _cases.push(one);
    }

    /// @notice Governance signs in place of a responder.
    function breakGlassByGovernance(uint256 seed) external {
        IEmergencyAccess.Emergency memory emergency = IEmergencyAccess.Emergency({
            patient: PATIENT,
            credential: _staff[seed % STAFF].credential,
            secondCredential: 0,
            salt: bytes32(seed)
        });
        IEmergencyAccess.Responder[] memory responders = new IEmergencyAccess.Responder[](1);
        responders[0] = IEmergencyAccess.Responder({signer: abi.encodePacked(address(this)), signature: ""});
        EMERGENCIES.breakGlass(emergency, keccak256("reason"), 1 hours, _deadline(), responders);
        violation = "opened by governance";
    }

    function end(uint256 seed, uint256 signerSeed) external {
        Case storage one = _cases[seed % _cases.length];
        uint256[5] memory keys = [
            PATIENT_KEY,
            _staff[one.responders[0]].key,
            _staff[one.responders[one.count - 1]].key,
            ORGANISATION_KEY + one.responders[0] / 3,
            0x57a46e
        ];
        uint256 by = keys[signerSeed % 5];
        bytes32 typeHash = keccak256("EmergencyEnd(bytes32 emergency,uint256 deadline)");
        IEmergencyAccess.Responder memory who = _by(by, keccak256(abi.encode(typeHash, _idOf(one), _deadline())));
        EMERGENCIES.end(one.emergency, _deadline(), who.signer, who.signature);
        if (by == 0x57a46e) violation = "ended by a stranger";
        if (block.timestamp >= one.mustEndBy) violation = "ended twice";
        one.mustEndBy = block.timestamp;
    }

    function review(uint256 seed, uint8 outcome) external {
        Case storage one = _cases[seed % _cases.length];
        EMERGENCIES.review(one.emergency, IEmergencyAccess.Outcome(outcome % 4), keccak256("report"));
        _noteReview(one, outcome % 4);
    }

    function reviewByCredential(uint256 seed, uint8 outcome) external {
        Case storage one = _cases[seed % _cases.length];
        uint256 reviewer = (seed >> 128) % STAFF;
        Staff storage who = _staff[reviewer];
        bytes32 typeHash = keccak256(
            "EmergencyReview(bytes32 emergency,uint8 outcome,bytes32 report,bytes32 reviewerCredential,uint256 deadline)"
        );
        bytes32 structHash = keccak256(
            abi.encode(typeHash, _idOf(one), outcome % 4, keccak256("report"), who.credential, _deadline())
        );
        EMERGENCIES.reviewByCredential(
            one.emergency,
            IEmergencyAccess.Outcome(outcome % 4),
            keccak256("report"),
            who.credential,
            _deadline(),
            _by(who.key, structHash)
        );
        _noteReview(one, outcome % 4);
        if (who.role != 19 || !_isGood(who)) violation = "reviewed by no reviewer";
        for (uint256 i = 0; i < one.count; ++i)
            if (one.responders[i] / 3 == reviewer / 3) violation = "reviewed by the own organisation";
    }

    function setPolicy(uint256 seed) external {
        Policy memory policy = Policy({
            isAllowed: seed % 8 != 0,
            responders: uint8(1 + ((seed >> 8) % 2)),
            // Mostly everybody.
            roles: (seed >> 12) % 4 != 0 ? 0x8000e : uint32((seed >> 16) % 16) & ~uint32(1),
            maxDuration: uint32((seed >> 32) % 25 hours),
            coolDown: uint32((seed >> 64) % 4 hours)
        });
        if (!policy.isAllowed) policy = Policy(false, 0, 0, 0, 0);
        bytes32 typeHash = keccak256(
            "EmergencyPolicy(bytes32 patient,bool isAllowed,uint8 responders,uint32 roles,uint32 maxDuration,uint32 coolDown,uint256 nonce,uint256 deadline)"
        );
        IEmergencyAccess.Responder memory who = _by(
            PATIENT_KEY,
            keccak256(abi.encode(typeHash, PATIENT, policy, _nonce, _deadline()))
        );
        EmergencyPolicy word = EmergencyPolicy.wrap(
            uint112(
                bytes14(
                    abi.encodePacked(
                        policy.isAllowed,
                        policy.responders,
                        policy.roles,
                        policy.maxDuration,
                        policy.coolDown
                    )
                )
            )
        );
        EMERGENCIES.setPolicy(PATIENT, word, _deadline(), who.signer, who.signature);
        if (policy.maxDuration > 24 hours) violation = "policy above the cap";
        _policy = policy;
        _nonce++;
    }

    /// @notice What happens around emergencies, bad things more rarely than good ones.
    function disturb(uint256 seed) external {
        uint256 index = (seed >> 8) % 2;
        if (seed % 8 == 0 && !_isSuspended[index]) {
            CREDENTIALS.suspend(_organisations[index]);
            _isSuspended[index] = true;
        } else if (seed % 8 < 5 && _isSuspended[index]) {
            CREDENTIALS.reinstate(_organisations[index]);
            _isSuspended[index] = false;
        } else if (seed % 8 == 5) {
            Staff storage one = _staff[(seed >> 8) % STAFF];
            _revoke(one.organisation, one.key, SALT, one.key);
            one.isRevoked = true;
        } else if (EMERGENCIES.paused()) {
            EMERGENCIES.unpause();
        } else if (seed % 8 == 6) {
            EMERGENCIES.pause();
        }
    }

    function wait(uint256 seed, uint32 time) external {
        VM.warp(block.timestamp + (time % (seed % 4 == 0 ? 4 days : 2 hours)));
    }

    function _checkPolicy(Case memory one, uint32 duration) private {
        if (!_policy.isAllowed) violation = "opened where nothing is allowed";
        if (one.count < _policy.responders) violation = "opened by too few";
        if (duration == 0 || duration > _policy.maxDuration || duration > 24 hours) violation = "opened for too long";
        if (one.count == 2 && one.responders[0] == one.responders[1]) violation = "opened by one as two";
        for (uint256 i = 0; i < _cases.length; ++i) {
            if (block.timestamp < _cases[i].openedAt + _policy.coolDown) violation = "opened too soon";
            // A full bucket, and what came back since then.
            uint256 since = _cases.length - i + 1;
            if (since > 2 + ((block.timestamp - _cases[i].openedAt) * 2) / 1 days) violation = "opened too often";
        }
    }

    function _checkResponder(Staff storage one, uint256 index) private {
        if (!_isGood(one)) violation = "opened with a bad credential";
        if ((_policy.roles >> one.role) & 1 == 0) violation = "opened in an excluded role";
        if (block.timestamp < one.blockedUntil) violation = "opened while blocked";
        uint256 overdue = 0;
        for (uint256 i = 0; i < _cases.length; ++i) {
            Case storage earlier = _cases[i];
            bool isTheirs = earlier.responders[0] == index || (earlier.count == 2 && earlier.responders[1] == index);
            if (isTheirs && !earlier.isReviewed && earlier.openedAt + REVIEW_WITHIN <= block.timestamp) ++overdue;
        }
        if (overdue >= MAX_OVERDUE) violation = "opened with overdue reviews";
    }

    function _noteReview(Case storage one, uint8 outcome) private {
        if (one.isReviewed) violation = "reviewed twice";
        if (outcome == 0) violation = "reviewed without a finding";
        if (block.timestamp < one.mustEndBy) violation = "reviewed before it was over";
        one.isReviewed = true;
        if (outcome != 3) return;
        for (uint256 i = 0; i < one.count; ++i) _staff[one.responders[i]].blockedUntil = block.timestamp + 30 days;
    }

    /// @dev Often the same physician, sometimes the reviewer, who may not.
    function _someone(uint256 seed) private pure returns (uint256) {
        uint256 any = seed % 16;
        return any < STAFF ? any : [uint256(0), 0, 3, 4][any % 4];
    }

    function _isGood(Staff storage one) private view returns (bool) {
        bool isSuspended = one.organisation == _organisations[0] ? _isSuspended[0] : _isSuspended[1];
        return !one.isRevoked && !isSuspended && block.timestamp < one.expiresAt;
    }

    function _by(uint256 key, bytes32 structHash) private view returns (IEmergencyAccess.Responder memory) {
        return
            IEmergencyAccess.Responder({
                signer: abi.encodePacked(VM.addr(key)),
                signature: _signTyped(key, NAME, address(EMERGENCIES), structHash)
            });
    }

    function _idOf(Case storage one) private view returns (bytes32) {
        return keccak256(abi.encode(one.emergency));
    }
}

contract EmergencyAccessInvariants is Test {
    EmergencyActor private _actor;

    function setUp() public {
        VM.warp(1_800_000_000);
        _actor = new EmergencyActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_nothingHappensThatNeverShould() public view {
        _require(bytes(_actor.violation()).length == 0, _actor.violation());
    }

    function invariant_activeUntilItsEndAndNeverAfter() public view {
        for (uint256 i = 0; i < _actor.caseCount(); ++i) {
            EmergencyActor.Case memory one = _actor.caseOf(i);
            bytes32 id = keccak256(abi.encode(one.emergency));
            EmergencyAccess emergencies = _actor.EMERGENCIES();
            uint256[5] memory times = [
                one.openedAt,
                one.mustEndBy - 1,
                one.mustEndBy,
                one.openedAt + 24 hours,
                block.timestamp
            ];
            for (uint256 j = 0; j < times.length; ++j) {
                bool expected = times[j] >= one.openedAt && times[j] < one.mustEndBy;
                _require(emergencies.isActive(id, times[j]) == expected, "active");
            }
            bool isReviewed = emergencies.stateOf(id).outcome != IEmergencyAccess.Outcome.Unreviewed;
            _require(isReviewed == one.isReviewed, "reviewed");
        }
    }
}
