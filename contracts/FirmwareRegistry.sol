// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IFirmwareRegistry} from "./interfaces/IFirmwareRegistry.sol";
import {LiveReleases} from "./libraries/LiveReleases.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title Manufacturers, their models and the releases devices may install
 * @dev A release: published (threshold) -> live <-> held (guard, back by threshold) -> yanked (guard, for ever).
 */
contract FirmwareRegistry is IFirmwareRegistry, SignedRequests {
    using LiveReleases for LiveReleases.Set;

    struct Manufacturer {
        bytes[] releaseSigners;
        bytes[] guards;
        uint8 threshold;
    }

    /// @dev The four numbers share one slot: a device proves them with one storage proof.
    struct Model {
        bytes32 manufacturer;
        uint32 latest;
        uint32 active;
        uint32 minimum;
        uint32 securityFloor;
        LiveReleases.Set live;
        mapping(uint32 sequence => Release) releases;
        /// @dev The numbers of an image's releases, 32 bits each, the newest lowest.
        mapping(bytes32 imageSha256 => uint256) sequencesOfImage;
    }

    uint256 private constant MAX_SIGNERS = 16;
    uint256 private constant MAX_MANIFEST_BYTES = 2048;

    /// @dev A slip of the pen in one release must not use up the counter for all later ones.
    uint256 private constant MAX_COUNTER_STEP = 16;

    /// @dev Eight of them fill the word that keeps an image's numbers.
    uint256 private constant SEQUENCE_BITS = 32;

    bytes32 private constant MODEL_REGISTRATION_TYPEHASH = keccak256(
        "ModelRegistration(bytes32 manufacturer,bytes32 modelClass,uint256 deadline)"
    );
    bytes32 private constant RELEASE_TYPEHASH = keccak256(
        "Release(bytes32 model,uint32 sequence,uint32 securityCounter,uint40 sizeBytes,bytes32 imageSha256,bytes32 manifestDigest,uint256 deadline)"
    );
    bytes32 private constant HOLD_TYPEHASH = keccak256(
        "Hold(bytes32 model,uint32 sequence,uint32 reason,uint32 revision,uint256 deadline)"
    );
    bytes32 private constant UNHOLD_TYPEHASH = keccak256(
        "Unhold(bytes32 model,uint32 sequence,uint32 reason,uint32 revision,uint256 deadline)"
    );
    bytes32 private constant YANK_TYPEHASH = keccak256(
        "Yank(bytes32 model,uint32 sequence,uint32 reason,uint256 deadline)"
    );
    bytes32 private constant MINIMUM_RAISE_TYPEHASH = keccak256(
        "MinimumRaise(bytes32 model,uint32 minimumSequence,uint256 deadline)"
    );

    mapping(bytes32 manufacturer => Manufacturer) private _manufacturers;
    mapping(bytes32 model => Model) private _models;

    constructor() EIP712("Salus FirmwareRegistry", "1") {}

    /// @inheritdoc IFirmwareRegistry
    function registerManufacturer(
        bytes[] calldata releaseSigners,
        uint8 threshold,
        bytes[] calldata guards,
        bytes32 salt
    ) external returns (bytes32 manufacturer) {
        _requireSet(releaseSigners);
        _requireSet(guards);
        if (threshold == 0 || threshold > releaseSigners.length) revert ThresholdInvalid(threshold);
        manufacturer = keccak256(abi.encode(keccak256(abi.encode(releaseSigners, threshold, guards)), salt));
        Manufacturer storage maker = _manufacturers[manufacturer];
        if (maker.threshold != 0) revert ManufacturerAlreadyRegistered(manufacturer);

        for (uint256 i = 0; i < releaseSigners.length; ++i) maker.releaseSigners.push(releaseSigners[i]);
        for (uint256 i = 0; i < guards.length; ++i) maker.guards.push(guards[i]);
        maker.threshold = threshold;
        emit ManufacturerRegistered(manufacturer, releaseSigners, threshold, guards);
    }

    /// @inheritdoc IFirmwareRegistry
    function registerModel(
        bytes32 manufacturer,
        bytes32 modelClass,
        uint256 deadline,
        Approval[] calldata approvals
    ) external returns (bytes32 model) {
        _requireInTime(deadline);
        Manufacturer storage maker = _knownManufacturer(manufacturer);
        model = keccak256(abi.encode(manufacturer, modelClass));
        Model storage entry = _models[model];
        if (entry.manufacturer != 0) revert ModelAlreadyRegistered(model);
        _requireThreshold(
            maker,
            keccak256(abi.encode(MODEL_REGISTRATION_TYPEHASH, manufacturer, modelClass, deadline)),
            approvals
        );

        entry.manufacturer = manufacturer;
        emit ModelRegistered(manufacturer, model, modelClass);
    }

    /// @inheritdoc IFirmwareRegistry
    function publish(ReleaseTerms calldata terms, bytes calldata manifest, Approval[] calldata approvals) external {
        _requireInTime(terms.deadline);
        Model storage model = _knownModel(terms.model);
        _requirePublishable(model, terms, manifest);
        // Every field of the terms is static, so their encoding is the struct's, in the order of its type.
        _requireThreshold(
            _manufacturers[model.manufacturer],
            keccak256(abi.encode(RELEASE_TYPEHASH, terms)),
            approvals
        );

        model.latest = terms.sequence;
        model.active = terms.sequence;
        model.securityFloor = terms.securityCounter;
        model.live.add(terms.sequence);
        model.sequencesOfImage[terms.imageSha256] =
            (model.sequencesOfImage[terms.imageSha256] << SEQUENCE_BITS) | terms.sequence;
        Release storage release = model.releases[terms.sequence];
        release.imageSha256 = terms.imageSha256;
        release.manifestDigest = terms.manifestDigest;
        release.securityCounter = terms.securityCounter;
        release.sizeBytes = terms.sizeBytes;
        emit ReleasePublished(
            terms.model,
            terms.sequence,
            terms.imageSha256,
            terms.securityCounter,
            terms.sizeBytes,
            terms.manifestDigest,
            manifest
        );
    }

    /// @inheritdoc IFirmwareRegistry
    function hold(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Approval calldata guard) external {
        _requireInTime(deadline);
        (Model storage entry, Release storage release) = _knownRelease(model, sequence);
        if (release.status != Status.Live) revert ReleaseStatusUnfit(release.status);
        _requireGuard(
            entry,
            keccak256(abi.encode(HOLD_TYPEHASH, model, sequence, reason, release.revision, deadline)),
            guard
        );

        _stop(entry, release, sequence, Status.Held);
        emit ReleaseHeld(model, sequence, reason);
    }

    /// @inheritdoc IFirmwareRegistry
    function unhold(
        bytes32 model,
        uint32 sequence,
        uint32 reason,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        _requireInTime(deadline);
        (Model storage entry, Release storage release) = _knownRelease(model, sequence);
        if (release.status != Status.Held) revert ReleaseStatusUnfit(release.status);
        _requireThreshold(
            _manufacturers[entry.manufacturer],
            keccak256(abi.encode(UNHOLD_TYPEHASH, model, sequence, reason, release.revision, deadline)),
            approvals
        );

        release.status = Status.Live;
        release.revision++;
        entry.live.add(sequence);
        if (sequence > entry.active && sequence >= entry.minimum) entry.active = sequence;
        emit ReleaseUnheld(model, sequence, reason);
    }

    /// @inheritdoc IFirmwareRegistry
    function yank(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Approval calldata guard) external {
        _requireInTime(deadline);
        (Model storage entry, Release storage release) = _knownRelease(model, sequence);
        if (release.status == Status.Yanked) revert ReleaseStatusUnfit(release.status);
        _requireGuard(entry, keccak256(abi.encode(YANK_TYPEHASH, model, sequence, reason, deadline)), guard);

        // The image is withdrawn, so all its numbers are: at most eight, none of which is yanked yet.
        uint256 sequences = entry.sequencesOfImage[release.imageSha256];
        for (; sequences != 0; sequences >>= SEQUENCE_BITS) {
            uint32 each = uint32(sequences);
            _stop(entry, entry.releases[each], each, Status.Yanked);
            emit ReleaseYanked(model, each, reason);
        }
    }

    /// @inheritdoc IFirmwareRegistry
    function raiseMinimum(
        bytes32 model,
        uint32 minimumSequence,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        _requireInTime(deadline);
        Model storage entry = _knownModel(model);
        if (minimumSequence <= entry.minimum || minimumSequence > entry.active)
            revert MinimumOutOfRange(entry.minimum, entry.active, minimumSequence);
        _requireThreshold(
            _manufacturers[entry.manufacturer],
            keccak256(abi.encode(MINIMUM_RAISE_TYPEHASH, model, minimumSequence, deadline)),
            approvals
        );

        entry.minimum = minimumSequence;
        emit MinimumRaised(model, minimumSequence);
    }

    /// @inheritdoc IFirmwareRegistry
    function manufacturerOf(
        bytes32 manufacturer
    ) external view returns (bytes[] memory releaseSigners, uint8 threshold, bytes[] memory guards) {
        Manufacturer storage maker = _knownManufacturer(manufacturer);
        return (maker.releaseSigners, maker.threshold, maker.guards);
    }

    /// @inheritdoc IFirmwareRegistry
    function headOf(
        bytes32 model
    ) external view returns (uint32 latest, uint32 active, uint32 minimum, uint32 securityFloor) {
        Model storage entry = _knownModel(model);
        return (entry.latest, entry.active, entry.minimum, entry.securityFloor);
    }

    /// @inheritdoc IFirmwareRegistry
    function makerOf(bytes32 model) external view returns (bytes32 manufacturer) {
        return _knownModel(model).manufacturer;
    }

    /// @inheritdoc IFirmwareRegistry
    function releaseOf(bytes32 model, uint32 sequence) external view returns (Release memory) {
        (, Release storage release) = _knownRelease(model, sequence);
        return release;
    }

    /// @inheritdoc IFirmwareRegistry
    function releaseByImage(bytes32 model, bytes32 imageSha256) external view returns (uint32 sequence) {
        return uint32(_knownModel(model).sequencesOfImage[imageSha256]);
    }

    /// @dev Takes a release out of the live ones; the newest that is left becomes active, if it is not too old.
    function _stop(Model storage model, Release storage release, uint32 sequence, Status status) private {
        release.status = status;
        release.revision++;
        model.live.remove(sequence);
        if (sequence != model.active) return;
        uint32 oldest = model.minimum == 0 ? 1 : model.minimum;
        model.active = model.live.newest(oldest, sequence);
    }

    function _requirePublishable(
        Model storage model,
        ReleaseTerms calldata terms,
        bytes calldata manifest
    ) private view {
        (uint32 expected, uint32 floor) = (model.latest + 1, model.securityFloor);
        if (terms.sequence != expected) revert ReleaseOutOfSequence(expected, terms.sequence);
        if (terms.securityCounter < floor || terms.securityCounter > uint256(floor) + MAX_COUNTER_STEP)
            revert ReleaseCounterOutOfRange(floor, terms.securityCounter);
        if (terms.sizeBytes == 0 || terms.imageSha256 == 0) revert ReleaseImageMissing();
        uint256 sequences = model.sequencesOfImage[terms.imageSha256];
        if (model.releases[uint32(sequences)].status == Status.Yanked) revert ReleaseImageYanked(uint32(sequences));
        if (sequences >> (256 - SEQUENCE_BITS) != 0) revert ReleaseImageTooOften(uint32(sequences));
        if (manifest.length > MAX_MANIFEST_BYTES) revert ManifestTooLarge(manifest.length);
        bytes32 digest = keccak256(manifest);
        if (digest != terms.manifestDigest) revert ManifestMismatch(digest);
    }

    function _requireSet(bytes[] calldata signers) private pure {
        if (signers.length == 0 || signers.length > MAX_SIGNERS) revert SignerSetSizeInvalid(signers.length);
        bytes32[] memory hashes = new bytes32[](signers.length);
        for (uint256 i = 0; i < signers.length; ++i) {
            _requireWellFormed(signers[i]);
            hashes[i] = keccak256(signers[i]);
            for (uint256 j = 0; j < i; ++j) if (hashes[i] == hashes[j]) revert SignerSetDuplicate(signers[i]);
        }
    }

    /// @dev Every approval given must hold, not only as many as it takes: a wrong one is a mistake worth hearing of.
    function _requireThreshold(
        Manufacturer storage maker,
        bytes32 structHash,
        Approval[] calldata approvals
    ) private view {
        if (approvals.length < maker.threshold) revert ApprovalsTooFew(approvals.length, maker.threshold);
        bytes32 digest = _hashTypedDataV4(structHash);
        for (uint256 i = 0; i < approvals.length; ++i) {
            uint8 index = approvals[i].index;
            if (i > 0 && index <= approvals[i - 1].index) revert ApprovalOutOfOrder(index);
            _requireApproval(maker.releaseSigners, digest, approvals[i]);
        }
    }

    function _requireGuard(Model storage model, bytes32 structHash, Approval calldata guard) private view {
        _requireApproval(_manufacturers[model.manufacturer].guards, _hashTypedDataV4(structHash), guard);
    }

    function _requireApproval(bytes[] storage set, bytes32 digest, Approval calldata approval) private view {
        if (approval.index >= set.length) revert ApprovalSignerUnknown(approval.index);
        if (!Signers.isValid(set[approval.index], digest, approval.signature))
            revert ApprovalSignatureInvalid(approval.index);
    }

    function _knownManufacturer(bytes32 manufacturer) private view returns (Manufacturer storage maker) {
        maker = _manufacturers[manufacturer];
        if (maker.threshold == 0) revert ManufacturerUnknown(manufacturer);
    }

    function _knownModel(bytes32 model) private view returns (Model storage entry) {
        entry = _models[model];
        if (entry.manufacturer == 0) revert ModelUnknown(model);
    }

    function _knownRelease(
        bytes32 model,
        uint32 sequence
    ) private view returns (Model storage entry, Release storage release) {
        entry = _knownModel(model);
        release = entry.releases[sequence];
        if (release.imageSha256 == 0) revert ReleaseUnknown(model, sequence);
    }
}
