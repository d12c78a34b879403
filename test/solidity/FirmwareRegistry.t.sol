// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FirmwareRegistry} from "../../contracts/FirmwareRegistry.sol";
import {IFirmwareRegistry} from "../../contracts/interfaces/IFirmwareRegistry.sol";
import {Test} from "./Vm.sol";

/// @title Publishes and stops releases in any order, and remembers what must never come back
contract FirmwareActor is Test {
    uint256 private constant RELEASE_KEY = 0x1e1ea5e;
    uint256 private constant GUARD_KEY = 0x96a2d;
    string private constant NAME = "Salus FirmwareRegistry";

    FirmwareRegistry public immutable FIRMWARE;
    bytes32 public immutable MODEL;

    uint32 public highestMinimum;
    uint32 public highestFloor;
    mapping(bytes32 imageSha256 => bool) public isYanked;

    constructor() {
        FIRMWARE = new FirmwareRegistry();
        bytes[] memory releaseSigners = new bytes[](1);
        releaseSigners[0] = abi.encodePacked(VM.addr(RELEASE_KEY));
        bytes[] memory guards = new bytes[](1);
        guards[0] = abi.encodePacked(VM.addr(GUARD_KEY));
        bytes32 manufacturer = FIRMWARE.registerManufacturer(releaseSigners, 1, guards, bytes32(0));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("ModelRegistration(bytes32 manufacturer,bytes32 modelClass,uint256 deadline)"),
                manufacturer,
                bytes32(0),
                _deadline()
            )
        );
        bytes memory signature = _signTyped(RELEASE_KEY, NAME, address(FIRMWARE), structHash);
        MODEL = FIRMWARE.registerModel(manufacturer, bytes32(0), _deadline(), _one(signature));
    }

    /// @notice Publishes the next release; a small image number may be one that was published before.
    function publish(uint8 counterStep, uint8 image) external {
        (uint32 latest, , , uint32 floor) = FIRMWARE.headOf(MODEL);
        IFirmwareRegistry.ReleaseTerms memory terms = IFirmwareRegistry.ReleaseTerms({
            model: MODEL,
            sequence: latest + 1,
            securityCounter: floor + uint32(_bound(counterStep, 0, 20)),
            sizeBytes: 1,
            imageSha256: bytes32(_bound(image, 1, 6)),
            manifestDigest: keccak256(""),
            deadline: _deadline()
        });
        bytes32 typeHash = keccak256(
            "Release(bytes32 model,uint32 sequence,uint32 securityCounter,uint40 sizeBytes,bytes32 imageSha256,bytes32 manifestDigest,uint256 deadline)"
        );
        FIRMWARE.publish(terms, "", _byReleaseKey(keccak256(abi.encode(typeHash, terms))));
        highestFloor = terms.securityCounter;
    }

    function hold(uint32 seed) external {
        (uint32 sequence, uint32 revision) = _pick(seed);
        bytes32 typeHash = keccak256(
            "Hold(bytes32 model,uint32 sequence,uint32 reason,uint32 revision,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, MODEL, sequence, uint32(0), revision, _deadline()));
        FIRMWARE.hold(MODEL, sequence, 0, _deadline(), _byGuard(structHash));
    }

    function unhold(uint32 seed) external {
        (uint32 sequence, uint32 revision) = _pick(seed);
        bytes32 typeHash = keccak256(
            "Unhold(bytes32 model,uint32 sequence,uint32 reason,uint32 revision,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, MODEL, sequence, uint32(0), revision, _deadline()));
        FIRMWARE.unhold(MODEL, sequence, 0, _deadline(), _byReleaseKey(structHash));
    }

    function yank(uint32 seed) external {
        (uint32 sequence, ) = _pick(seed);
        bytes32 typeHash = keccak256("Yank(bytes32 model,uint32 sequence,uint32 reason,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, MODEL, sequence, uint32(0), _deadline()));
        FIRMWARE.yank(MODEL, sequence, 0, _deadline(), _byGuard(structHash));
        isYanked[FIRMWARE.releaseOf(MODEL, sequence).imageSha256] = true;
    }

    function raiseMinimum(uint32 seed) external {
        (uint32 sequence, ) = _pick(seed);
        bytes32 typeHash = keccak256("MinimumRaise(bytes32 model,uint32 minimumSequence,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, MODEL, sequence, _deadline()));
        FIRMWARE.raiseMinimum(MODEL, sequence, _deadline(), _byReleaseKey(structHash));
        if (sequence > highestMinimum) highestMinimum = sequence;
    }

    function _pick(uint32 seed) private view returns (uint32 sequence, uint32 revision) {
        (uint32 latest, , , ) = FIRMWARE.headOf(MODEL);
        sequence = uint32(_bound(seed, 1, latest));
        revision = FIRMWARE.releaseOf(MODEL, sequence).revision;
    }

    function _byReleaseKey(bytes32 structHash) private view returns (IFirmwareRegistry.Approval[] memory) {
        return _one(_signTyped(RELEASE_KEY, NAME, address(FIRMWARE), structHash));
    }

    function _byGuard(bytes32 structHash) private view returns (IFirmwareRegistry.Approval memory) {
        return _one(_signTyped(GUARD_KEY, NAME, address(FIRMWARE), structHash))[0];
    }

    function _one(bytes memory signature) private pure returns (IFirmwareRegistry.Approval[] memory approvals) {
        approvals = new IFirmwareRegistry.Approval[](1);
        approvals[0] = IFirmwareRegistry.Approval({index: 0, signature: signature});
    }

    function _deadline() private view returns (uint256) {
        return block.timestamp + 1 days;
    }
}

contract FirmwareRegistryInvariants is Test {
    FirmwareActor private _actor;

    function setUp() public {
        _actor = new FirmwareActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_minimumAndFloorOnlyRise() public view {
        (, , uint32 minimum, uint32 floor) = _actor.FIRMWARE().headOf(_actor.MODEL());
        _equal(minimum, _actor.highestMinimum(), "minimum");
        _equal(floor, _actor.highestFloor(), "floor");
    }

    function invariant_yankedStaysAndActiveIsTheNewestLiveOne() public view {
        FirmwareRegistry firmware = _actor.FIRMWARE();
        bytes32 model = _actor.MODEL();
        (uint32 latest, uint32 active, uint32 minimum, ) = firmware.headOf(model);
        uint32 expected = 0;
        for (uint32 sequence = 1; sequence <= latest; ++sequence) {
            IFirmwareRegistry.Release memory release = firmware.releaseOf(model, sequence);
            _require(
                (release.status == IFirmwareRegistry.Status.Yanked) == _actor.isYanked(release.imageSha256),
                "yanked"
            );
            if (release.status == IFirmwareRegistry.Status.Live && sequence >= minimum) expected = sequence;
        }
        _equal(active, expected, "active");
    }
}
