// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FirmwareMakers} from "./FirmwareMakers.sol";
import {IFirmwareReleases} from "./interfaces/IFirmwareReleases.sol";
import {LiveReleases} from "./libraries/LiveReleases.sol";
import {MakerState} from "./libraries/MakerState.sol";
import {ModelHead} from "./libraries/ModelHead.sol";
import {ReleaseState} from "./libraries/ReleaseState.sol";
import {RiskClasses} from "./libraries/RiskClasses.sol";

/**
 * @title What is kept of models and releases
 * @dev Two words per release, so that publishing opens two slots and a device proves three words with the head.
 */
abstract contract FirmwareModels is IFirmwareReleases, FirmwareMakers {
    using LiveReleases for LiveReleases.Set;

    /// @dev `contents` binds manifest and image, which whoever acts on them brings along.
    struct StoredRelease {
        bytes32 contents;
        ReleaseState state;
    }

    mapping(bytes32 model => ModelHead) internal _heads;
    mapping(bytes32 model => mapping(uint32 sequence => StoredRelease)) internal _releases;
    mapping(bytes32 model => mapping(bytes32 imageSha256 => uint32 sequence)) internal _yankedImages;
    /// @dev Releases that reached all devices and were not taken back from them.
    mapping(bytes32 model => LiveReleases.Set) internal _live;
    mapping(bytes32 model => bytes32 manufacturer) internal _manufacturers;

    /// @inheritdoc IFirmwareReleases
    function headOf(bytes32 model) external view returns (Head memory) {
        ModelHead head = _knownHead(model);
        uint32 staged = head.staged();
        if (_releases[model][staged].state.isHeldAt(block.timestamp)) staged = 0;
        return
            Head({
                latest: head.latest(),
                active: _newestNotHeld(model, head),
                staged: staged,
                rolloutBps: staged == 0 ? 0 : head.rolloutBps(),
                minimum: head.minimum(),
                securityFloor: head.securityFloor(),
                keysetVersion: head.keysetVersion(),
                publishedAt: head.publishedAt(),
                riskClass: head.riskClass(),
                slotMiB: head.slotMiB(),
                isSunset: head.isSunset()
            });
    }

    /// @inheritdoc IFirmwareReleases
    function makerOf(bytes32 model) external view returns (bytes32 manufacturer) {
        _knownHead(model);
        return _manufacturers[model];
    }

    /// @inheritdoc IFirmwareReleases
    function releaseOf(bytes32 model, uint32 sequence) external view returns (Release memory) {
        ReleaseState state = _knownRelease(model, sequence);
        return
            Release({
                contents: _releases[model][sequence].contents,
                status: _statusOf(_heads[model], sequence, state),
                securityCounter: state.securityCounter(),
                kind: state.kind(),
                notBefore: state.notBefore(),
                heldUntil: state.heldUntil(),
                revision: state.revision(),
                round: state.round(),
                keysetVersion: state.keysetVersion()
            });
    }

    /// @inheritdoc IFirmwareReleases
    function yankedAs(bytes32 model, bytes32 imageSha256) external view returns (uint32 sequence) {
        return _yankedImages[model][imageSha256];
    }

    function _knownHead(bytes32 model) internal view returns (ModelHead head) {
        head = _heads[model];
        if (!head.isRegistered()) revert ModelUnknown(model);
    }

    /// @dev The head of a model that has not had its last release.
    function _continuedHead(bytes32 model) internal view returns (ModelHead head) {
        head = _knownHead(model);
        if (head.isSunset()) revert ModelIsSunset(model);
    }

    function _knownRelease(bytes32 model, uint32 sequence) internal view returns (ReleaseState state) {
        state = _releases[model][sequence].state;
        if (!state.isPublished()) revert ReleaseUnknown(model, sequence);
    }

    /// @dev Reverts unless enough release keys signed, and count.
    function _requireReleasers(
        bytes32 model,
        Quorum calldata by,
        bytes32 structHash
    ) internal view returns (MakerState maker) {
        bytes32 manufacturer = _manufacturers[model];
        if (manufacturer == 0) revert ModelUnknown(model);
        maker = _releasingMaker(manufacturer);
        _requireQuorum(_keysetOf(manufacturer, Role.Release), by, structHash);
    }

    /// @dev Reverts unless these are the digests that the release was published with.
    function _requireContents(
        bytes32 model,
        uint32 sequence,
        bytes32 manifestDigest,
        bytes32 imageSha256
    ) internal view {
        bytes32 found = keccak256(abi.encode(manifestDigest, imageSha256));
        if (found != _releases[model][sequence].contents) revert ManifestMismatch(found);
    }

    function _statusOf(ModelHead head, uint32 sequence, ReleaseState state) internal view returns (Status) {
        if (state.isYanked()) return Status.Yanked;
        if (state.isHeldAt(block.timestamp)) return Status.Held;
        if (sequence == head.staged()) return Status.Staged;
        if (sequence == head.active()) return Status.Active;
        if (sequence < head.active() || sequence < head.staged()) return Status.Superseded;
        // What was taken back does not make way for what it replaced: below the minimum, or with a hole that it closed.
        bool isOutdated = sequence < head.minimum() || state.securityCounter() < head.securityFloor();
        return isOutdated ? Status.Superseded : Status.Published;
    }

    /// @dev The newest release for all devices below `before` that is not older than the minimum and closes as many holes;
    /// 0 if there is none.
    function _newestLive(bytes32 model, ModelHead head, uint32 before) internal view returns (uint32 found) {
        uint32 oldest = head.minimum() == 0 ? 1 : head.minimum();
        found = _live[model].newest(oldest, before - 1);
        // Counters never fall with the number, so that what is older still closes no more.
        if (_counterOf(model, found) < _counterOf(model, before)) return 0;
    }

    function _counterOf(bytes32 model, uint32 sequence) private view returns (uint32) {
        return _releases[model][sequence].state.securityCounter();
    }

    /// @dev Takes a release out of circulation; the one before takes its place.
    function _withdraw(bytes32 model, ModelHead head, uint32 sequence) internal returns (ModelHead) {
        _live[model].remove(sequence);
        if (sequence == head.staged()) {
            head = head.withStaged(0, 0);
            emit RolloutChanged(model, sequence, 0);
        }
        if (sequence == head.active()) {
            uint32 fallen = _newestLive(model, head, sequence);
            head = head.withActive(fallen);
            emit ActiveChanged(model, fallen);
        }
        return head;
    }

    /// @dev Offers a release to a share of the devices, or makes it the one for all.
    function _offer(bytes32 model, ModelHead head, uint32 sequence, uint16 bps) internal returns (ModelHead) {
        emit RolloutChanged(model, sequence, bps);
        if (bps < 10_000) return head.withStaged(sequence, bps);
        _live[model].add(sequence);
        emit ActiveChanged(model, sequence);
        return head.withStaged(0, 0).withActive(sequence);
    }

    function _requireSigners(ModelHead head, MakerState maker, uint8 threshold) internal pure {
        uint8 needed = RiskClasses.minimumSigners(head.riskClass());
        if (threshold < needed) revert SignersTooFewForRisk(threshold, needed);
        uint8 neededRoots = needed > 2 ? 2 : needed;
        if (maker.roots() < neededRoots) revert SignersTooFewForRisk(maker.roots(), neededRoots);
    }

    function _newestNotHeld(bytes32 model, ModelHead head) private view returns (uint32 sequence) {
        sequence = head.active();
        while (sequence != 0 && _releases[model][sequence].state.isHeldAt(block.timestamp)) {
            sequence = _newestLive(model, head, sequence);
        }
    }
}
