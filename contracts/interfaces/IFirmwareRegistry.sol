// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Manufacturers, their models and the releases devices may install
 * @notice A release needs the signatures of `threshold` release signers; stopping one needs a single guard. Nothing
 * expires here: a device that joins long after its maker is gone still learns which release is active.
 */
interface IFirmwareRegistry is ISignedRequests {
    /// @notice One signature of a set; approvals are given with strictly rising index, so nobody counts twice.
    /// @param index of the signer in the set
    /// @param signature of that signer
    struct Approval {
        uint8 index;
        bytes signature;
    }

    /// @notice What release signers sign:
    /// `Release(bytes32 model,uint32 sequence,uint32 securityCounter,uint40 sizeBytes,bytes32 imageSha256,bytes32 manifestDigest,uint256 deadline)`.
    /// @param model which devices it is for
    /// @param sequence one more than the model's last, 1 for the first
    /// @param securityCounter never below the model's floor, at most 16 above it
    /// @param sizeBytes exact length of the image
    /// @param imageSha256 SHA-256 of the image
    /// @param manifestDigest keccak-256 of the manifest
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct ReleaseTerms {
        bytes32 model;
        uint32 sequence;
        uint32 securityCounter;
        uint40 sizeBytes;
        bytes32 imageSha256;
        bytes32 manifestDigest;
        uint256 deadline;
    }

    /// @notice Where a release stands. Yanked is for ever.
    enum Status {
        Live,
        Held,
        Yanked
    }

    /// @notice What the registry keeps of a release.
    /// @param imageSha256 SHA-256 of the image
    /// @param manifestDigest keccak-256 of the manifest
    /// @param securityCounter as published
    /// @param sizeBytes exact length of the image
    /// @param revision number of changes of status; signed into {hold} and {unhold}
    /// @param status where it stands
    struct Release {
        bytes32 imageSha256;
        bytes32 manifestDigest;
        uint32 securityCounter;
        uint40 sizeBytes;
        uint32 revision;
        Status status;
    }

    /// @notice A manufacturer came to exist.
    /// @param manufacturer its id
    /// @param releaseSigners who publish, in the form of ERC-7913
    /// @param threshold how many of them it takes
    /// @param guards each of whom can stop a release
    event ManufacturerRegistered(bytes32 indexed manufacturer, bytes[] releaseSigners, uint8 threshold, bytes[] guards);

    /// @notice A manufacturer has a new model.
    /// @param manufacturer its id
    /// @param model the model's id, `keccak256(abi.encode(manufacturer, modelClass))`
    /// @param modelClass the manufacturer's own identifier of the model, hashed
    event ModelRegistered(bytes32 indexed manufacturer, bytes32 indexed model, bytes32 modelClass);

    /// @notice A release was published and is live.
    /// @param model which devices it is for
    /// @param sequence its number
    /// @param imageSha256 SHA-256 of the image
    /// @param securityCounter the model's floor from now on
    /// @param sizeBytes exact length of the image
    /// @param manifestDigest keccak-256 of the manifest
    /// @param manifest itself
    event ReleasePublished(
        bytes32 indexed model,
        uint32 indexed sequence,
        bytes32 indexed imageSha256,
        uint32 securityCounter,
        uint40 sizeBytes,
        bytes32 manifestDigest,
        bytes manifest
    );

    /// @notice A guard stopped a release for now.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    event ReleaseHeld(bytes32 indexed model, uint32 indexed sequence, uint32 reason);

    /// @notice The release signers let a held release go on.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    event ReleaseUnheld(bytes32 indexed model, uint32 indexed sequence, uint32 reason);

    /// @notice A guard withdrew a release for ever; there is one event for each number of its image.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    event ReleaseYanked(bytes32 indexed model, uint32 indexed sequence, uint32 reason);

    /// @notice Devices must run at least this release.
    /// @param model the model
    /// @param minimumSequence number of the release
    event MinimumRaised(bytes32 indexed model, uint32 minimumSequence);

    /// @notice A set has 1 to 16 signers.
    /// @param count as given
    error SignerSetSizeInvalid(uint256 count);

    /// @notice The same signer is twice in a set.
    /// @param signer the one
    error SignerSetDuplicate(bytes signer);

    /// @notice The threshold is zero or more than there are signers.
    /// @param threshold as given
    error ThresholdInvalid(uint8 threshold);

    /// @notice This key set and salt are registered already; take another salt.
    /// @param manufacturer the id
    error ManufacturerAlreadyRegistered(bytes32 manufacturer);

    /// @notice No such manufacturer on this chain.
    /// @param manufacturer the id
    error ManufacturerUnknown(bytes32 manufacturer);

    /// @notice The manufacturer has this model already.
    /// @param model the id
    error ModelAlreadyRegistered(bytes32 model);

    /// @notice No such model on this chain.
    /// @param model the id
    error ModelUnknown(bytes32 model);

    /// @notice The model has no release of this number.
    /// @param model the id
    /// @param sequence as given
    error ReleaseUnknown(bytes32 model, uint32 sequence);

    /// @notice Releases come in an unbroken sequence.
    /// @param expected the only number accepted now
    /// @param actual as given
    error ReleaseOutOfSequence(uint32 expected, uint32 actual);

    /// @notice The security counter is below the model's floor or more than 16 above it.
    /// @param floor of the model
    /// @param actual as given
    error ReleaseCounterOutOfRange(uint32 floor, uint32 actual);

    /// @notice An image has at least one byte and a digest.
    error ReleaseImageMissing();

    /// @notice The image was withdrawn for this model and cannot come back under another number.
    /// @param sequence under which it was withdrawn
    error ReleaseImageYanked(uint32 sequence);

    /// @notice The image has eight numbers already, and a guard must be able to withdraw all of them at once.
    /// @param sequence the newest of them
    error ReleaseImageTooOften(uint32 sequence);

    /// @notice The manifest is longer than 2048 bytes.
    /// @param sizeBytes as given
    error ManifestTooLarge(uint256 sizeBytes);

    /// @notice The manifest is not the one that was signed.
    /// @param digest of the manifest as given
    error ManifestMismatch(bytes32 digest);

    /// @notice The release is not where this step starts from: only live ones are held, only held ones let go.
    /// @param status where it stands
    error ReleaseStatusUnfit(Status status);

    /// @notice The minimum only rises, and only up to the active release.
    /// @param minimum at present
    /// @param active release at present
    /// @param actual as given
    error MinimumOutOfRange(uint32 minimum, uint32 active, uint32 actual);

    /// @notice Approvals come with strictly rising index; this one does not.
    /// @param index as given
    error ApprovalOutOfOrder(uint8 index);

    /// @notice The set has no signer of this index.
    /// @param index as given
    error ApprovalSignerUnknown(uint8 index);

    /// @notice The signature is not by the signer of this index over exactly this request.
    /// @param index as given
    error ApprovalSignatureInvalid(uint8 index);

    /// @notice Fewer approvals than the manufacturer's threshold.
    /// @param given how many
    /// @param required how many
    error ApprovalsTooFew(uint256 given, uint256 required);

    /// @notice Creates a manufacturer. Needs no signature: the id is a hash of the key set, so it can be nobody else's.
    /// @param releaseSigners who publish, in the form of ERC-7913, 1 to 16
    /// @param threshold how many of them it takes
    /// @param guards each of whom can stop a release, 1 to 16
    /// @param salt random
    /// @return manufacturer the id, `keccak256(abi.encode(keccak256(abi.encode(releaseSigners, threshold, guards)), salt))`
    function registerManufacturer(
        bytes[] calldata releaseSigners,
        uint8 threshold,
        bytes[] calldata guards,
        bytes32 salt
    ) external returns (bytes32 manufacturer);

    /// @notice Creates a model. Signed: `ModelRegistration(bytes32 manufacturer,bytes32 modelClass,uint256 deadline)`.
    /// @param manufacturer the id
    /// @param modelClass the manufacturer's own identifier of the model, hashed
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param approvals of the release signers
    /// @return model the id, `keccak256(abi.encode(manufacturer, modelClass))`
    function registerModel(
        bytes32 manufacturer,
        bytes32 modelClass,
        uint256 deadline,
        Approval[] calldata approvals
    ) external returns (bytes32 model);

    /// @notice Publishes a release; it is live at once, and its counter becomes the model's floor.
    /// @param terms what was signed
    /// @param manifest at most 2048 bytes, kept in the event
    /// @param approvals of the release signers
    function publish(ReleaseTerms calldata terms, bytes calldata manifest, Approval[] calldata approvals) external;

    /// @notice Stops a live release for now. Signed:
    /// `Hold(bytes32 model,uint32 sequence,uint32 reason,uint32 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param guard one guard's signature, over the release's current revision
    function hold(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Approval calldata guard) external;

    /// @notice Lets a held release go on. Signed:
    /// `Unhold(bytes32 model,uint32 sequence,uint32 reason,uint32 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param approvals of the release signers, over the release's current revision
    function unhold(
        bytes32 model,
        uint32 sequence,
        uint32 reason,
        uint256 deadline,
        Approval[] calldata approvals
    ) external;

    /// @notice Withdraws a release for ever, and with it every other release of the same image. Signed:
    /// `Yank(bytes32 model,uint32 sequence,uint32 reason,uint256 deadline)`; no revision, so that no other change can
    /// outrun it.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param guard one guard's signature
    function yank(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Approval calldata guard) external;

    /// @notice Raises the release that devices must at least run. Signed:
    /// `MinimumRaise(bytes32 model,uint32 minimumSequence,uint256 deadline)`.
    /// @param model the model
    /// @param minimumSequence above the present minimum, at most the active release
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param approvals of the release signers
    function raiseMinimum(
        bytes32 model,
        uint32 minimumSequence,
        uint256 deadline,
        Approval[] calldata approvals
    ) external;

    /// @notice A manufacturer's key set.
    /// @param manufacturer the id
    /// @return releaseSigners who publish
    /// @return threshold how many of them it takes
    /// @return guards each of whom can stop a release
    function manufacturerOf(
        bytes32 manufacturer
    ) external view returns (bytes[] memory releaseSigners, uint8 threshold, bytes[] memory guards);

    /// @notice Where a model stands.
    /// @param model the id
    /// @return latest number of the newest release; 0 before the first
    /// @return active newest live release that is not below the minimum; 0 if there is none
    /// @return minimum release that devices must at least run
    /// @return securityFloor counter that no release goes below
    function headOf(
        bytes32 model
    ) external view returns (uint32 latest, uint32 active, uint32 minimum, uint32 securityFloor);

    /// @notice Whose model it is.
    /// @param model the id
    /// @return manufacturer its id
    function makerOf(bytes32 model) external view returns (bytes32 manufacturer);

    /// @notice What is kept of a release.
    /// @param model the model
    /// @param sequence the release
    /// @return what is kept
    function releaseOf(bytes32 model, uint32 sequence) external view returns (Release memory);

    /// @notice Under which number a model's image was last published. Per model: an image's digest is public before it
    /// is published here, and whoever is first must not be able to take it from its maker.
    /// @param model the model
    /// @param imageSha256 SHA-256 of the image
    /// @return sequence number of the release; 0 if there is none
    function releaseByImage(bytes32 model, bytes32 imageSha256) external view returns (uint32 sequence);
}
