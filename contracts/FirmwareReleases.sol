// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FirmwareModels} from "./FirmwareModels.sol";
import {IFirmwareReleases} from "./interfaces/IFirmwareReleases.sol";
import {MakerState} from "./libraries/MakerState.sol";
import {ModelHead, ModelHeadLib} from "./libraries/ModelHead.sol";
import {ReleaseState, ReleaseStateLib} from "./libraries/ReleaseState.sol";
import {RiskClasses} from "./libraries/RiskClasses.sol";

/// @title What release keys do: publish, roll out, raise the minimum
abstract contract FirmwareReleases is FirmwareModels {
    uint256 private constant MAX_MANIFEST_BYTES = 2048;

    /// @dev A slip of the pen in one release must not use up the counter for all later ones.
    uint256 private constant MAX_COUNTER_STEP = 16;

    bytes32 private constant MODEL_REGISTRATION_TYPEHASH = keccak256(
        "ModelRegistration(bytes32 manufacturer,bytes32 modelClass,uint8 riskClass,uint16 slotMiB,uint256 deadline)"
    );
    bytes32 private constant RELEASE_TYPEHASH = keccak256(
        "Release(bytes32 model,uint32 sequence,uint32 securityCounter,uint8 kind,uint40 sizeBytes,bytes32 imageSha256,bytes32 manifestDigest,uint40 notBefore,uint16 keysetVersion,uint256 deadline)"
    );
    bytes32 private constant ROLLOUT_RAISE_TYPEHASH = keccak256(
        "RolloutRaise(bytes32 model,uint32 sequence,uint16 bps,uint24 revision,uint256 deadline)"
    );
    bytes32 private constant MINIMUM_RAISE_TYPEHASH = keccak256(
        "MinimumRaise(bytes32 model,uint32 minimumSequence,uint40 mandatoryBy,uint256 deadline)"
    );

    /// @inheritdoc IFirmwareReleases
    function registerModel(
        bytes32 manufacturer,
        bytes32 modelClass,
        uint8 riskClass,
        uint16 slotMiB,
        uint256 deadline,
        Quorum calldata by
    ) external whenNotPaused returns (bytes32 model) {
        _requireInTime(deadline);
        MakerState maker = _releasingMaker(manufacturer);
        if (riskClass > RiskClasses.HIGH) revert RiskClassInvalid(riskClass);
        model = keccak256(abi.encode(manufacturer, modelClass));
        if (_heads[model].isRegistered()) revert ModelAlreadyRegistered(model);
        ModelHead head = ModelHeadLib.create(riskClass, slotMiB);
        _requireQuorum(
            _keysetOf(manufacturer, Role.Release),
            by,
            keccak256(abi.encode(MODEL_REGISTRATION_TYPEHASH, manufacturer, modelClass, riskClass, slotMiB, deadline))
        );
        _requireSigners(head, maker, by.threshold);

        _heads[model] = head;
        _manufacturers[model] = manufacturer;
        emit ModelRegistered(manufacturer, model, modelClass, riskClass, slotMiB);
    }

    /// @inheritdoc IFirmwareReleases
    function publish(ReleaseTerms calldata terms, bytes calldata manifest, Quorum calldata by) external whenNotPaused {
        _requireInTime(terms.deadline);
        ModelHead head = _continuedHead(terms.model);
        bytes32 manufacturer = _manufacturers[terms.model];
        MakerState maker = _releasingMaker(manufacturer);
        _requirePublishable(head, maker, terms);
        _requireManifest(terms, manifest);
        // Every field of the terms is static, so their encoding is the struct's, in the order of its type.
        _requireQuorum(_keysetOf(manufacturer, Role.Release), by, keccak256(abi.encode(RELEASE_TYPEHASH, terms)));
        _requireSigners(head, maker, by.threshold);

        uint40 earliest = uint40(block.timestamp) + RiskClasses.delay(head.riskClass(), terms.kind);
        if (earliest < terms.notBefore) earliest = terms.notBefore;
        _heads[terms.model] = head.withPublished(terms.securityCounter, terms.keysetVersion, block.timestamp);
        StoredRelease storage release = _releases[terms.model][terms.sequence];
        release.contents = keccak256(abi.encode(terms.manifestDigest, terms.imageSha256));
        release.state = ReleaseStateLib.create(
            maker.dutyGuard(),
            terms.kind,
            terms.securityCounter,
            earliest,
            terms.keysetVersion
        );
        emit ReleasePublished(
            terms.model,
            terms.sequence,
            terms.imageSha256,
            terms.securityCounter,
            terms.kind,
            terms.sizeBytes,
            earliest,
            terms.keysetVersion,
            manifest
        );
    }

    /// @inheritdoc IFirmwareReleases
    function activate(
        bytes32 model,
        uint32 sequence,
        bytes32 manifestDigest,
        bytes32 imageSha256
    ) external whenNotPaused {
        ModelHead head = _knownHead(model);
        MakerState maker = _releasingMaker(_manufacturers[model]);
        ReleaseState state = _knownRelease(model, sequence);
        Status status = _statusOf(head, sequence, state);
        if (status != Status.Published) revert ReleaseStatusUnfit(status);
        // Keys that were replaced for a reason start nothing any more.
        if (state.keysetVersion() != maker.version())
            revert ReleaseKeysetOutdated(maker.version(), state.keysetVersion());
        if (block.timestamp < state.notBefore()) revert ReleaseNotDue(state.notBefore());
        _requireContents(model, sequence, manifestDigest, imageSha256);
        _requireImageNotYanked(model, imageSha256);

        _heads[model] = _offer(model, head, sequence, RiskClasses.firstStageBps(head.riskClass()));
    }

    /// @inheritdoc IFirmwareReleases
    function raiseRollout(
        bytes32 model,
        uint32 sequence,
        uint16 bps,
        uint256 deadline,
        Quorum calldata by
    ) external whenNotPaused {
        _requireInTime(deadline);
        ModelHead head = _knownHead(model);
        ReleaseState state = _knownRelease(model, sequence);
        Status status = _statusOf(head, sequence, state);
        if (status != Status.Staged) revert ReleaseStatusUnfit(status);
        if (bps <= head.rolloutBps() || bps > 10_000) revert RolloutOutOfRange(head.rolloutBps(), bps);
        _requireReleasers(
            model,
            by,
            keccak256(abi.encode(ROLLOUT_RAISE_TYPEHASH, model, sequence, bps, state.revision(), deadline))
        );

        _heads[model] = _offer(model, head, sequence, bps);
    }

    /// @inheritdoc IFirmwareReleases
    function raiseMinimum(
        bytes32 model,
        uint32 minimumSequence,
        uint40 mandatoryBy,
        uint256 deadline,
        Quorum calldata by
    ) external {
        _requireInTime(deadline);
        ModelHead head = _knownHead(model);
        if (minimumSequence <= head.minimum() || minimumSequence > head.active())
            revert MinimumOutOfRange(head.minimum(), head.active(), minimumSequence);
        Status status = _statusOf(head, minimumSequence, _knownRelease(model, minimumSequence));
        if (status != Status.Active && status != Status.Superseded) revert ReleaseStatusUnfit(status);
        _requireReleasers(
            model,
            by,
            keccak256(abi.encode(MINIMUM_RAISE_TYPEHASH, model, minimumSequence, mandatoryBy, deadline))
        );

        _heads[model] = head.withMinimum(minimumSequence);
        emit MinimumRaised(model, minimumSequence, mandatoryBy);
    }

    function _requirePublishable(ModelHead head, MakerState maker, ReleaseTerms calldata terms) private view {
        (uint32 expected, uint32 floor) = (head.latest() + 1, head.securityFloor());
        if (terms.sequence != expected) revert ReleaseOutOfSequence(expected, terms.sequence);
        if (terms.securityCounter < floor || terms.securityCounter > uint256(floor) + MAX_COUNTER_STEP)
            revert ReleaseCounterOutOfRange(floor, terms.securityCounter);
        if (terms.kind > RiskClasses.SECURITY) revert ReleaseKindInvalid(terms.kind);
        if (terms.keysetVersion != maker.version()) revert ReleaseKeysetOutdated(maker.version(), terms.keysetVersion);
        if (terms.sizeBytes == 0 || terms.imageSha256 == 0) revert ReleaseImageMissing();
        if (terms.sizeBytes > uint256(head.slotMiB()) << 20) revert ReleaseTooLarge(terms.sizeBytes);
        _requireImageNotYanked(terms.model, terms.imageSha256);
    }

    function _requireManifest(ReleaseTerms calldata terms, bytes calldata manifest) private pure {
        if (manifest.length > MAX_MANIFEST_BYTES) revert ManifestTooLarge(manifest.length);
        bytes32 digest = keccak256(manifest);
        if (digest != terms.manifestDigest) revert ManifestMismatch(digest);
    }

    function _requireImageNotYanked(bytes32 model, bytes32 imageSha256) private view {
        uint32 yanked = _yankedImages[model][imageSha256];
        if (yanked != 0) revert ReleaseImageYanked(yanked);
    }
}
