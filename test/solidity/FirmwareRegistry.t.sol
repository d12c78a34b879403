// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {FirmwareRegistry} from "../../contracts/FirmwareRegistry.sol";
import {IFirmwareBrakes} from "../../contracts/interfaces/IFirmwareBrakes.sol";
import {IFirmwareMakers} from "../../contracts/interfaces/IFirmwareMakers.sol";
import {IFirmwareReleases} from "../../contracts/interfaces/IFirmwareReleases.sol";
import {Test} from "./Vm.sol";

/// @title Does everything a manufacturer of a medium-risk model can, in any order, and remembers what must never come back
contract FirmwareActor is Test {
    uint256 internal constant ROOT_KEY = 0x4007;
    uint256 internal constant RELEASE_KEY = 0x1e1ea5e;
    uint256 internal constant GUARD_KEY = 0x96a2d;
    string private constant NAME = "Salus FirmwareRegistry";

    FirmwareRegistry public immutable FIRMWARE;
    bytes32 public immutable MANUFACTURER;
    bytes32 public immutable MODEL;

    uint32 public published;
    uint32 public highestMinimum;
    uint32 public highestFloor;
    uint32 public keysetVersion = 1;
    uint16 public silenceDays = 400;
    bool public isEarly;
    bool public isOverstepped;
    bool public isWeakened;
    uint32 public highestActiveCounter;
    mapping(uint32 sequence => bytes32) public imageOf;
    mapping(bytes32 imageSha256 => bool) public isYanked;

    constructor() {
        FIRMWARE = new FirmwareRegistry(address(new AccessManager(address(this))));
        MANUFACTURER = FIRMWARE.registerManufacturer(_keysets(400), bytes32(0));
        bytes32 typeHash = keccak256(
            "ModelRegistration(bytes32 manufacturer,bytes32 modelClass,uint8 riskClass,uint16 slotMiB,uint256 deadline)"
        );
        bytes32 structHash = keccak256(
            abi.encode(typeHash, MANUFACTURER, bytes32(0), uint8(2), uint16(1), _deadline())
        );
        MODEL = FIRMWARE.registerModel(MANUFACTURER, bytes32(0), 2, 1, _deadline(), _by(RELEASE_KEY, structHash));
    }

    /// @dev Once devices were offered what closes a hole, none is offered what has it.
    modifier watched() {
        _;
        uint32 active = FIRMWARE.headOf(MODEL).active;
        if (active != 0) {
            uint32 counter = FIRMWARE.releaseOf(MODEL, active).securityCounter;
            if (counter < highestActiveCounter) isWeakened = true;
            else highestActiveCounter = counter;
        }
    }

    function wait(uint32 time) external watched {
        VM.warp(block.timestamp + _bound(time, 1, 3 days));
    }

    /// @notice Publishes the next release; a small image number may be one that was published before.
    function publish(uint8 counterStep, uint8 image, uint8 kind) external {
        IFirmwareReleases.Head memory head = FIRMWARE.headOf(MODEL);
        IFirmwareReleases.ReleaseTerms memory terms = IFirmwareReleases.ReleaseTerms({
            model: MODEL,
            sequence: head.latest + 1,
            securityCounter: head.securityFloor + uint32(_bound(counterStep, 0, 20)),
            kind: kind & 1,
            sizeBytes: 1,
            imageSha256: bytes32(_bound(image, 1, 8)),
            manifestDigest: keccak256(""),
            notBefore: 0,
            keysetVersion: uint16(keysetVersion),
            deadline: _deadline()
        });
        bytes32 typeHash = keccak256(
            "Release(bytes32 model,uint32 sequence,uint32 securityCounter,uint8 kind,uint40 sizeBytes,bytes32 imageSha256,bytes32 manifestDigest,uint40 notBefore,uint16 keysetVersion,uint256 deadline)"
        );
        FIRMWARE.publish(terms, "", _by(RELEASE_KEY, keccak256(abi.encode(typeHash, terms))));
        ++published;
        highestFloor = terms.securityCounter;
        imageOf[terms.sequence] = terms.imageSha256;
    }

    function activate(uint32 seed) external watched {
        uint32 sequence = _pick(seed);
        uint40 notBefore = FIRMWARE.releaseOf(MODEL, sequence).notBefore;
        FIRMWARE.activate(MODEL, sequence, keccak256(""), imageOf[sequence]);
        if (block.timestamp < notBefore) isEarly = true;
    }

    function raiseRollout(uint32 seed, uint16 bps) external watched {
        uint32 sequence = FIRMWARE.headOf(MODEL).staged;
        if (sequence == 0) sequence = _pick(seed);
        bps = uint16(_bound(bps, 1, 10_000));
        bytes32 structHash = _hashRollout("Raise", sequence, bps);
        FIRMWARE.raiseRollout(MODEL, sequence, bps, _deadline(), _by(RELEASE_KEY, structHash));
    }

    function cutRollout(uint32 seed, uint16 bps) external {
        uint32 sequence = _pick(seed);
        bytes32 structHash = _hashRollout("Cut", sequence, bps);
        uint16 before = FIRMWARE.headOf(MODEL).rolloutBps;
        FIRMWARE.cutRollout(MODEL, sequence, bps, _deadline(), _by(GUARD_KEY, structHash));
        if (bps >= before && before != 0) isOverstepped = true;
    }

    function hold(uint32 seed) external watched {
        uint32 sequence = _pick(seed);
        FIRMWARE.hold(MODEL, sequence, 0, _deadline(), _by(GUARD_KEY, _hashStop("Hold", sequence)));
    }

    function unhold(uint32 seed) external watched {
        uint32 sequence = _pick(seed);
        FIRMWARE.unhold(MODEL, sequence, 0, _deadline(), _by(RELEASE_KEY, _hashStop("Unhold", sequence)));
    }

    function yank(uint32 seed) external watched {
        uint32 sequence = _pick(seed);
        bytes32 image = imageOf[sequence];
        bytes32 typeHash = keccak256("Yank(bytes32 model,bytes32 imageSha256,uint32 reason,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, MODEL, image, uint32(0), _deadline()));
        FIRMWARE.yank(MODEL, image, 0, _deadline(), _by(GUARD_KEY, structHash), _numbersOf(image));
        isYanked[image] = true;
    }

    function raiseMinimum(uint32 seed) external {
        uint32 sequence = _pick(seed);
        bytes32 typeHash = keccak256(
            "MinimumRaise(bytes32 model,uint32 minimumSequence,uint40 mandatoryBy,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, MODEL, sequence, uint40(0), _deadline()));
        FIRMWARE.raiseMinimum(MODEL, sequence, 0, _deadline(), _by(RELEASE_KEY, structHash));
        highestMinimum = sequence;
    }

    function proposeRotation(uint16 silence) external {
        silence = uint16(_bound(silence, 30, 3650));
        (, uint32 nonce, , , , ) = FIRMWARE.manufacturerOf(MANUFACTURER);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("KeysetRotation(bytes32 manufacturer,bytes32 keysets,uint32 nonce,uint256 deadline)"),
                MANUFACTURER,
                _digestOf(silence),
                nonce,
                _deadline()
            )
        );
        IFirmwareMakers.Quorum memory by = _two(ROOT_KEY, structHash);
        FIRMWARE.proposeRotation(MANUFACTURER, _keysets(silence), nonce, _deadline(), by, by);
        silenceDays = silence;
    }

    function completeRotation() external {
        (, , uint40 due, , , ) = FIRMWARE.manufacturerOf(MANUFACTURER);
        FIRMWARE.completeRotation(MANUFACTURER, _keysets(silenceDays));
        if (block.timestamp < due) isEarly = true;
        ++keysetVersion;
    }

    /// @notice Signs what only release keys may, with a guard's key: it must never go through.
    function overstep(uint32 seed, uint16 bps) external {
        uint32 sequence = _pick(seed);
        IFirmwareMakers.Quorum memory by = _by(GUARD_KEY, _hashRollout("Raise", sequence, bps));
        FIRMWARE.raiseRollout(MODEL, sequence, bps, _deadline(), by);
        isOverstepped = true;
    }

    function _pick(uint32 seed) private view returns (uint32 sequence) {
        return uint32(_bound(seed, 1, FIRMWARE.headOf(MODEL).latest));
    }

    function _numbersOf(bytes32 image) private view returns (IFirmwareBrakes.Number[] memory numbers) {
        uint256 count = 0;
        for (uint32 i = 1; i <= published; ++i) if (imageOf[i] == image) ++count;
        numbers = new IFirmwareBrakes.Number[](count);
        for (uint32 i = published; i > 0; --i) {
            if (imageOf[i] == image)
                numbers[--count] = IFirmwareBrakes.Number({sequence: i, manifestDigest: keccak256("")});
        }
    }

    function _hashStop(string memory name, uint32 sequence) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(name, "(bytes32 model,uint32 sequence,uint32 reason,uint24 revision,uint256 deadline)")
        );
        uint24 revision = FIRMWARE.releaseOf(MODEL, sequence).revision;
        return keccak256(abi.encode(typeHash, MODEL, sequence, uint32(0), revision, _deadline()));
    }

    function _hashRollout(string memory name, uint32 sequence, uint16 bps) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                "Rollout",
                name,
                "(bytes32 model,uint32 sequence,uint16 bps,uint24 revision,uint256 deadline)"
            )
        );
        uint24 revision = FIRMWARE.releaseOf(MODEL, sequence).revision;
        return keccak256(abi.encode(typeHash, MODEL, sequence, bps, revision, _deadline()));
    }

    /// @dev Two root and two release keys, one guard, no steward.
    function _keysets(uint16 silence) private pure returns (IFirmwareMakers.Keysets memory keysets) {
        keysets.root = IFirmwareMakers.SignerSet({threshold: 2, signers: _signers(ROOT_KEY, 2)});
        keysets.release = IFirmwareMakers.SignerSet({threshold: 2, signers: _signers(RELEASE_KEY, 2)});
        keysets.guard = IFirmwareMakers.SignerSet({threshold: 1, signers: _signers(GUARD_KEY, 1)});
        keysets.steward.signers = new bytes[](0);
        keysets.silenceDays = silence;
    }

    function _digestOf(uint16 silence) private pure returns (bytes32) {
        bytes32[4] memory digests;
        digests[0] = keccak256(abi.encode(uint8(2), _ids(ROOT_KEY, 2)));
        digests[1] = keccak256(abi.encode(uint8(2), _ids(RELEASE_KEY, 2)));
        digests[2] = keccak256(abi.encode(uint8(1), _ids(GUARD_KEY, 1)));
        digests[3] = keccak256(abi.encode(uint8(0), new address[](0)));
        return keccak256(abi.encode(digests, silence));
    }

    function _signers(uint256 key, uint256 count) private pure returns (bytes[] memory signers) {
        signers = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) signers[i] = abi.encodePacked(VM.addr(key + i));
    }

    function _ids(uint256 key, uint256 count) private pure returns (address[] memory ids) {
        ids = new address[](count);
        for (uint256 i = 0; i < count; ++i) ids[i] = VM.addr(key + i);
    }

    function _by(uint256 key, bytes32 structHash) private view returns (IFirmwareMakers.Quorum memory) {
        return _quorum(key, key == GUARD_KEY ? 1 : 2, structHash);
    }

    function _two(uint256 key, bytes32 structHash) private view returns (IFirmwareMakers.Quorum memory) {
        return _quorum(key, 2, structHash);
    }

    function _quorum(
        uint256 key,
        uint8 count,
        bytes32 structHash
    ) private view returns (IFirmwareMakers.Quorum memory quorum) {
        quorum.threshold = count;
        quorum.ids = _ids(key, count);
        quorum.approvals = new IFirmwareMakers.Approval[](count);
        for (uint8 i = 0; i < count; ++i) {
            quorum.approvals[i].index = i;
            quorum.approvals[i].signature = _signTyped(key + i, NAME, address(FIRMWARE), structHash);
        }
    }

    function _deadline() private view returns (uint256) {
        return block.timestamp + 1 days;
    }
}

contract FirmwareRegistryInvariants is Test {
    FirmwareActor private _actor;
    FirmwareRegistry private _firmware;
    bytes32 private _model;

    function setUp() public {
        _actor = new FirmwareActor();
        _firmware = _actor.FIRMWARE();
        _model = _actor.MODEL();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_sequenceRisesByOneAndFloorsOnlyRise() public view {
        IFirmwareReleases.Head memory head = _firmware.headOf(_model);
        _equal(head.latest, _actor.published(), "latest");
        _equal(head.minimum, _actor.highestMinimum(), "minimum");
        _equal(head.securityFloor, _actor.highestFloor(), "floor");
        (uint32 version, , , , , ) = _firmware.manufacturerOf(_actor.MANUFACTURER());
        _equal(version, _actor.keysetVersion(), "version");
    }

    function invariant_yankedIsForEverAndUnderEveryNumber() public view {
        uint32 latest = _firmware.headOf(_model).latest;
        for (uint32 sequence = 1; sequence <= latest; ++sequence) {
            bool isYanked = _firmware.releaseOf(_model, sequence).status == IFirmwareReleases.Status.Yanked;
            _require(isYanked == _actor.isYanked(_actor.imageOf(sequence)), "yanked");
        }
    }

    function invariant_activeAndStagedGoOn() public view {
        IFirmwareReleases.Head memory head = _firmware.headOf(_model);
        if (head.active != 0) {
            IFirmwareReleases.Status status = _firmware.releaseOf(_model, head.active).status;
            _require(
                status == IFirmwareReleases.Status.Active || status == IFirmwareReleases.Status.Superseded,
                "active"
            );
            _require(head.active >= head.minimum, "active below the minimum");
        }
        if (head.staged != 0) {
            _require(_firmware.releaseOf(_model, head.staged).status == IFirmwareReleases.Status.Staged, "staged");
        }
        _require(head.rolloutBps < 10_000, "a share of all is not a share");
    }

    function invariant_noHoleThatWasClosedComesBack() public view {
        _require(!_actor.isWeakened(), "weakened");
    }

    function invariant_nothingIsEarlyAndNobodyOversteps() public view {
        _require(!_actor.isEarly(), "early");
        _require(!_actor.isOverstepped(), "overstepped");
    }
}
