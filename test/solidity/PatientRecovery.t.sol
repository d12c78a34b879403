// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPatientRecovery} from "../../contracts/interfaces/IPatientRecovery.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {PatientActor} from "./PatientActor.sol";
import {Test} from "./Vm.sol";

/// @title A patient with two guardians, who open, veto and complete recoveries in any order and replay what they signed
contract RecoveryActor is PatientActor {
    uint256 private constant GUARDIAN_A = 0xaaa;
    uint256 private constant GUARDIAN_B = 0xbbb;
    uint256 private constant KEYS = 3;
    uint32 private constant DELAY = 3 days;
    uint32 private constant TIME_TO_COMPLETE = 30 days;

    /// @notice When the recovery was opened that nobody voided or completed; 0 if there is none. It may have run out.
    uint256 public openedAt;

    /// @notice Number of changes of signer that followed the rules.
    uint256 public changes;

    /// @notice Whether a signer changed before the delay was over, too late or without an open recovery.
    bool public broken;

    /// @notice Whether a veto was refused.
    bool public wasRefused;

    uint256 private _clock = block.timestamp;
    uint256 private _newKey;
    uint256 private _nonce;

    constructor() {
        bytes32 root = Hashes.commutativeKeccak256(_leafOf(GUARDIAN_A), _leafOf(GUARDIAN_B));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "GuardianSet(bytes32 patient,bytes32 root,uint8 threshold,uint32 delay,uint256 nonce,uint256 deadline)"
                ),
                PATIENT,
                root,
                uint8(2),
                DELAY,
                uint256(0),
                _soon()
            )
        );
        bytes memory signature = _sign(PATIENT_KEY, structHash);
        GRANTS.setGuardians(PATIENT, root, 2, DELAY, _soon(), _signerOf(PATIENT_KEY), signature);
        _nonce = 1;
    }

    /// @notice Time passes.
    function wait_(uint256 seconds_) external {
        _clock += _bound(seconds_, 1, 12 days);
        VM.warp(_clock);
    }

    /// @notice Both guardians, or one of them twice, sign for a new key.
    function open(uint256 seed, bool oneOnly) external {
        uint256 newKey = PATIENT_KEY + (seed % KEYS);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Recovery(bytes32 patient,bytes newSigner,uint256 nonce,uint256 deadline)"),
                PATIENT,
                keccak256(_signerOf(newKey)),
                _nonce,
                _soon()
            )
        );
        bool inOrder = VM.addr(GUARDIAN_A) < VM.addr(GUARDIAN_B);
        IPatientRecovery.GuardianApproval[] memory approvals = new IPatientRecovery.GuardianApproval[](2);
        approvals[0] = _approval(inOrder ? GUARDIAN_A : GUARDIAN_B, structHash);
        approvals[1] = oneOnly ? approvals[0] : _approval(inOrder ? GUARDIAN_B : GUARDIAN_A, structHash);
        GRANTS.openRecovery(PATIENT, _signerOf(newKey), _soon(), _sign(newKey, structHash), approvals);
        if (oneOnly || isOpen()) broken = true;
        (openedAt, _newKey, _nonce) = (_clock, newKey, _nonce + 1);
    }

    /// @notice The present signer vetoes.
    function veto() external {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("RecoveryVeto(bytes32 patient,uint256 nonce,uint256 deadline)"),
                PATIENT,
                _nonce,
                _soon()
            )
        );
        try GRANTS.vetoRecovery(PATIENT, _soon(), _signerOf(_key), _sign(_key, structHash)) {
            (openedAt, _nonce) = (0, _nonce + 1);
        } catch {
            if (isOpen()) wasRefused = true;
        }
    }

    /// @notice The present signer changes its keys instead, which voids a recovery.
    function updateKeyBundle() external {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("KeyBundleUpdate(bytes32 patient,bytes32 keyBundle,uint256 nonce,uint256 deadline)"),
                PATIENT,
                bytes32(uint256(2)),
                _nonce,
                _soon()
            )
        );
        bytes memory signature = _sign(_key, structHash);
        GRANTS.updateKeyBundle(PATIENT, bytes32(uint256(2)), _soon(), _signerOf(_key), signature);
        (openedAt, _nonce) = (0, _nonce + 1);
    }

    /// @notice Anybody completes for a key, named or not.
    function complete(uint256 seed) external {
        uint256 key = PATIENT_KEY + (seed % KEYS);
        GRANTS.completeRecovery(PATIENT, _signerOf(key));
        if (!isOpen() || key != _newKey || _clock < openedAt + DELAY) broken = true;
        (openedAt, _nonce, _key) = (0, _nonce + 1, key);
        changes++;
    }

    /// @notice Whether a recovery is under way by the rules.
    function isOpen() public view returns (bool) {
        return openedAt != 0 && _clock < openedAt + DELAY + TIME_TO_COMPLETE;
    }

    /// @notice Who signs for the patient if the rules were kept.
    function expectedSigner() external view returns (address) {
        return VM.addr(_key);
    }

    function _approval(
        uint256 key,
        bytes32 structHash
    ) private view returns (IPatientRecovery.GuardianApproval memory) {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leafOf(key == GUARDIAN_A ? GUARDIAN_B : GUARDIAN_A);
        return IPatientRecovery.GuardianApproval(_signerOf(key), bytes32(key), proof, _sign(key, structHash));
    }

    function _leafOf(uint256 key) private view returns (bytes32) {
        return keccak256(abi.encodePacked(keccak256(abi.encode(PATIENT, VM.addr(key), bytes32(key)))));
    }
}

contract PatientRecoveryInvariants is Test {
    RecoveryActor private _actor;

    function setUp() public {
        _actor = new RecoveryActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function test_theActorReachesEveryState() public {
        _actor.open(1, false);
        _actor.veto();
        _actor.open(1, false);
        _actor.updateKeyBundle();
        _actor.open(2, false);
        _actor.wait_(4 days - 1);
        _actor.complete(2);
        _equal(_actor.changes(), 1, "changes");
        _actor.open(1, false);
        for (uint256 i = 0; i < 3; ++i) _actor.wait_(12 days - 1);
        _require(!_actor.isOpen() && _actor.openedAt() != 0, "ran out");
        _actor.open(0, false);
        invariant_noSignerButByTheRules();
    }

    function invariant_noSignerButByTheRules() public view {
        _require(!_actor.broken(), "rules");
        _require(_actor.GRANTS().signerOf(_actor.PATIENT()) == _actor.expectedSigner(), "signer");
        _equal(_actor.GRANTS().epochOf(_actor.PATIENT()), _actor.changes(), "epoch");
    }

    function invariant_aVetoAlwaysWorks() public view {
        _require(!_actor.wasRefused(), "veto");
    }

    function invariant_whatIsToldOfARecoveryIsSo() public view {
        (address newSigner, uint40 readyAt, uint40 expiresAt) = _actor.GRANTS().recoveryOf(_actor.PATIENT());
        uint256 openedAt = _actor.isOpen() ? _actor.openedAt() : 0;
        _require((newSigner == address(0)) == (openedAt == 0), "newSigner");
        _equal(readyAt, openedAt == 0 ? 0 : openedAt + 3 days, "readyAt");
        _equal(expiresAt, openedAt == 0 ? 0 : openedAt + 33 days, "expiresAt");
    }
}
