// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestorState, AttestorStateLib} from "../../contracts/libraries/AttestorState.sol";
import {MakerState} from "../../contracts/libraries/MakerState.sol";
import {ModelHead, ModelHeadLib} from "../../contracts/libraries/ModelHead.sol";
import {ReleaseState, ReleaseStateLib} from "../../contracts/libraries/ReleaseState.sol";
import {Test} from "./Vm.sol";

/// @title Each packed word, from both ends: what is set is read, and nothing else changes
contract FirmwareWordsTest is Test {
    function testFuzz_makerStateChangesOneFieldAtATime(
        MakerState state,
        uint88 guard,
        uint8 roots,
        uint16 silence,
        uint32 version,
        uint40 time
    ) public pure {
        MakerState changed = state.withKeysets(guard, roots, silence);
        _equal(changed.dutyGuard(), guard, "guard");
        _equal(changed.roots(), roots, "roots");
        _equal(changed.silenceDays(), silence, "silence");
        changed = changed.withVersion(version).withHeartbeat(time);
        _equal(changed.version(), version, "version");
        _equal(changed.heartbeatAt(), time, "heartbeat");
        _equal(changed.rotationDue(), state.rotationDue(), "due kept");
        _equal(changed.rotationNonce(), state.rotationNonce(), "nonce kept");
        VM.assume(state.rotationNonce() != type(uint32).max);
        MakerState rotating = changed.withRotation(time);
        _equal(rotating.rotationDue(), time, "due");
        _equal(rotating.rotationNonce(), uint256(state.rotationNonce()) + 1, "nonce");
        _equal(rotating.dutyGuard(), guard, "guard kept");
        _equal(rotating.roots(), roots, "roots kept");
        _equal(rotating.silenceDays(), silence, "silence kept");
        _equal(rotating.version(), version, "version kept");
        _equal(rotating.heartbeatAt(), time, "heartbeat kept");
    }

    function testFuzz_modelHeadChangesOneFieldAtATime(
        ModelHead head,
        uint32 sequence,
        uint16 bps,
        uint32 counter,
        uint16 version,
        uint40 time
    ) public pure {
        VM.assume(head.latest() != type(uint32).max);
        ModelHead changed = head.withPublished(counter, version, time);
        _equal(changed.latest(), uint256(head.latest()) + 1, "latest");
        _equal(changed.securityFloor(), counter, "floor");
        _equal(changed.keysetVersion(), version, "version");
        _equal(changed.publishedAt(), time, "time");
        _equal(changed.rolloutBps(), head.rolloutBps(), "rollout kept");
        _equal(changed.minimum(), head.minimum(), "minimum kept");
        changed = changed.withStaged(sequence, bps).withSunset();
        _equal(changed.staged(), sequence, "staged");
        _equal(changed.rolloutBps(), bps, "rollout");
        _equal(changed.active(), head.active(), "active kept");
        _equal(changed.keysetVersion(), version, "version kept");
        _equal(changed.publishedAt(), time, "time kept");
        _require(changed.isSunset(), "sunset");
        _equal(changed.riskClass(), head.riskClass(), "class kept");
        changed = changed.withActive(sequence ^ 1).withMinimum(sequence ^ 2);
        _equal(changed.active(), sequence ^ 1, "active");
        _equal(changed.minimum(), sequence ^ 2, "minimum");
        _equal(changed.staged(), sequence, "staged kept");
        _equal(changed.securityFloor(), counter, "floor kept");
        _equal(changed.slotMiB(), head.slotMiB(), "slot kept");
    }

    function testFuzz_newModelHeadHasClassAndRoomOnly(uint8 class, uint16 mebibytes) public pure {
        class = class & 3;
        ModelHead head = ModelHeadLib.create(class, mebibytes);
        _require(head.isRegistered() && !head.isSunset(), "registered");
        _equal(head.riskClass(), class, "class");
        _equal(head.slotMiB(), mebibytes, "room");
        _equal(uint232(ModelHead.unwrap(head)), 0, "nothing else");
    }

    function testFuzz_releaseStateChangesOneFieldAtATime(
        uint88 guard,
        uint8 kind,
        uint32 counter,
        uint40 earliest,
        uint16 version,
        uint40 until,
        uint88 nextGuard
    ) public pure {
        ReleaseState state = ReleaseStateLib.create(guard, kind, counter, earliest, version);
        _require(state.isPublished() && !state.isYanked(), "published");
        _equal(state.heldUntil(), 0, "not held");
        ReleaseState changed = state.withHeldUntil(until).withNextRevision().withYanked();
        _equal(changed.heldUntil(), until, "held");
        _equal(changed.revision(), 2, "revision");
        _require(changed.isYanked(), "yanked");
        _equal(changed.dutyGuard(), guard, "guard");
        changed = changed.withDutyGuard(nextGuard);
        _equal(changed.dutyGuard(), nextGuard, "next guard");
        _equal(changed.kind(), kind, "kind");
        _equal(changed.securityCounter(), counter, "counter");
        _equal(changed.notBefore(), earliest, "earliest");
        _equal(changed.keysetVersion(), version, "version");
    }

    function testFuzz_aReleaseIsLetGoInRoundsAndNothingElseChanges(ReleaseState state, uint40 time) public pure {
        ReleaseState changed = state.withLetGo(time);
        _equal(changed.round(), (state.round() + 1) % 32, "round");
        _require(changed.isLetGo(), "let go");
        _equal(changed.heldUntil(), time, "until");
        _require(changed.isYanked() == state.isYanked(), "yanked kept");
        _equal(changed.keysetVersion(), state.keysetVersion(), "version kept");
        _equal(uint168(ReleaseState.unwrap(changed)), uint168(ReleaseState.unwrap(state)), "the rest kept");
        ReleaseState held = changed.withHeldUntil(time).withNextRevision().withYanked();
        _equal(held.round(), changed.round(), "round kept");
        _require(!held.isLetGo(), "held");
    }

    function testFuzz_attestorStateRemembersItsReports(uint32 epoch, bytes32 root) public pure {
        AttestorState state = AttestorStateLib.allowed();
        _require(state.isAllowed() && !state.isStranger(), "allowed");
        AttestorState later = state.withReport(epoch, root);
        _equal(later.epoch(), epoch, "epoch");
        _equal(later.head(), uint208(uint256(keccak256(abi.encode(uint208(0), epoch, root)))), "head");
        AttestorState removed = later.withRemoval();
        _require(!removed.isAllowed() && !removed.isStranger(), "removed");
        _equal(removed.epoch(), epoch, "epoch kept");
        _equal(removed.head(), later.head(), "head kept");
    }
}
