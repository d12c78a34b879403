// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFirmwareMakers} from "./IFirmwareMakers.sol";

/**
 * @title Models of devices and the releases they may install
 * @notice A release is published, starts after a delay with a share of the devices, and reaches all by steps:
 * Published -> Staged -> Active -> Superseded. It can be held at any time, and yanked for ever.
 */
interface IFirmwareReleases is IFirmwareMakers {
    /// @notice Where a release stands. Held and Yanked go before all others. Superseded is also what was not started and is
    /// older than the minimum, or has a lower counter than the newest release.
    enum Status {
        Unknown,
        Published,
        Staged,
        Active,
        Superseded,
        Held,
        Yanked
    }

    /// @notice What the release keys sign.
    /// @param model the model
    /// @param sequence number of the release: one more than the newest
    /// @param securityCounter from the model's floor to 16 above; becomes the floor
    /// @param kind 0 feature, 1 security: how long it must wait
    /// @param sizeBytes length of the image
    /// @param imageSha256 SHA-256 of the image
    /// @param manifestDigest keccak-256 of the manifest
    /// @param notBefore it starts no earlier, in seconds since 1970; 0 for as soon as its model allows
    /// @param keysetVersion of the keys that sign
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct ReleaseTerms {
        bytes32 model;
        uint32 sequence;
        uint32 securityCounter;
        uint8 kind;
        uint40 sizeBytes;
        bytes32 imageSha256;
        bytes32 manifestDigest;
        uint40 notBefore;
        uint16 keysetVersion;
        uint256 deadline;
    }

    /// @notice Where a model stands.
    /// @param latest number of the newest release; 0 before the first
    /// @param active newest release for all devices that is neither held nor below the minimum, unless its counter is lower
    /// than that of one that was active; 0 if there is none
    /// @param staged release offered to a share of the devices; 0 if there is none or it is held
    /// @param rolloutBps that share, in hundredths of a per cent
    /// @param minimum release that devices must at least run
    /// @param securityFloor counter that no release goes below
    /// @param keysetVersion of the keys that signed the newest release
    /// @param publishedAt when that was, in seconds since 1970
    /// @param riskClass 0 test, 1 low, 2 medium, 3 high
    /// @param slotMiB largest image
    /// @param isSunset whether no release follows
    struct Head {
        uint32 latest;
        uint32 active;
        uint32 staged;
        uint16 rolloutBps;
        uint32 minimum;
        uint32 securityFloor;
        uint16 keysetVersion;
        uint40 publishedAt;
        uint8 riskClass;
        uint16 slotMiB;
        bool isSunset;
    }

    /// @notice What is kept of a release.
    /// @param contents keccak256(abi.encode(manifestDigest, imageSha256))
    /// @param status where it stands
    /// @param securityCounter as published
    /// @param kind as published
    /// @param notBefore when it can start, in seconds since 1970
    /// @param heldUntil end of its hold, in seconds since 1970; 2^40-1 for one that does not lapse
    /// @param revision how often it was stopped or let go on
    /// @param round how often it was let go on, up to 31 and from 0 again
    /// @param keysetVersion of the keys that signed it
    struct Release {
        bytes32 contents;
        Status status;
        uint32 securityCounter;
        uint8 kind;
        uint40 notBefore;
        uint40 heldUntil;
        uint24 revision;
        uint8 round;
        uint16 keysetVersion;
    }

    /// @notice A model exists.
    /// @param manufacturer whose
    /// @param model its id: keccak256(abi.encode(manufacturer, modelClass))
    /// @param modelClass its name, as the manufacturer makes it
    /// @param riskClass 0 test, 1 low, 2 medium, 3 high
    /// @param slotMiB largest image
    event ModelRegistered(
        bytes32 indexed manufacturer,
        bytes32 indexed model,
        bytes32 modelClass,
        uint8 riskClass,
        uint16 slotMiB
    );

    /// @notice A release is published; devices do not install it yet.
    /// @param model the model
    /// @param sequence its number
    /// @param imageSha256 SHA-256 of the image: what is this file?
    /// @param securityCounter the model's new floor
    /// @param kind 0 feature, 1 security
    /// @param sizeBytes length of the image
    /// @param notBefore when it can start, in seconds since 1970
    /// @param keysetVersion of the keys that signed
    /// @param manifest the manifest, whose keccak-256 was signed
    event ReleasePublished(
        bytes32 indexed model,
        uint32 indexed sequence,
        bytes32 indexed imageSha256,
        uint32 securityCounter,
        uint8 kind,
        uint40 sizeBytes,
        uint40 notBefore,
        uint16 keysetVersion,
        bytes manifest
    );

    /// @notice A release is offered to a share of the devices, another share than before.
    /// @param model the model
    /// @param sequence the release
    /// @param bps the share, in hundredths of a per cent
    event RolloutChanged(bytes32 indexed model, uint32 indexed sequence, uint16 bps);

    /// @notice A release is for all devices now.
    /// @param model the model
    /// @param sequence the release; 0 if none is
    event ActiveChanged(bytes32 indexed model, uint32 indexed sequence);

    /// @notice Devices must at least run this release.
    /// @param model the model
    /// @param minimumSequence the release
    /// @param mandatoryBy until when, in seconds since 1970
    event MinimumRaised(bytes32 indexed model, uint32 minimumSequence, uint40 mandatoryBy);

    /// @notice No such class.
    /// @param riskClass what was given
    error RiskClassInvalid(uint8 riskClass);

    /// @notice This manufacturer has registered this model already.
    /// @param model the id
    error ModelAlreadyRegistered(bytes32 model);

    /// @notice No model has this id.
    /// @param model the id
    error ModelUnknown(bytes32 model);

    /// @notice The model has had its last release.
    /// @param model the id
    error ModelIsSunset(bytes32 model);

    /// @notice Too few keys for devices of this risk.
    /// @param threshold the smaller one of the release and root keys
    /// @param needed by the class
    error SignersTooFewForRisk(uint8 threshold, uint8 needed);

    /// @notice The model has no release with this number.
    /// @param model the model
    /// @param sequence the number
    error ReleaseUnknown(bytes32 model, uint32 sequence);

    /// @notice Releases have the numbers 1, 2, 3 and so on.
    /// @param expected the next number
    /// @param given the number that was signed
    error ReleaseOutOfSequence(uint32 expected, uint32 given);

    /// @notice The security counter is below the floor, or more than 16 above.
    /// @param floor the model's
    /// @param given what was signed
    error ReleaseCounterOutOfRange(uint32 floor, uint32 given);

    /// @notice The image has no bytes or no digest.
    error ReleaseImageMissing();

    /// @notice The image does not fit into the model's devices.
    /// @param sizeBytes its length
    error ReleaseTooLarge(uint40 sizeBytes);

    /// @notice The kind is neither 0 nor 1.
    /// @param kind what was signed
    error ReleaseKindInvalid(uint8 kind);

    /// @notice The image was withdrawn for ever.
    /// @param sequence a number it had
    error ReleaseImageYanked(uint32 sequence);

    /// @notice Signed by keys of another version than those in force.
    /// @param version of those in force
    /// @param given of those that signed
    error ReleaseKeysetOutdated(uint32 version, uint16 given);

    /// @notice The manifest has more than 2048 bytes.
    /// @param length how many
    error ManifestTooLarge(uint256 length);

    /// @notice Manifest or image are not those of the release.
    /// @param found digest of what was given
    error ManifestMismatch(bytes32 found);

    /// @notice The release does not stand where this can happen to it.
    /// @param status where it stands
    error ReleaseStatusUnfit(Status status);

    /// @notice The release cannot start yet.
    /// @param notBefore from when on, in seconds since 1970
    error ReleaseNotDue(uint40 notBefore);

    /// @notice The share must rise, to at most 10000.
    /// @param present the share
    /// @param given what was asked for
    error RolloutOutOfRange(uint16 present, uint16 given);

    /// @notice The minimum must rise, and only up to the active release.
    /// @param present the minimum
    /// @param active the active release
    /// @param given what was asked for
    error MinimumOutOfRange(uint32 present, uint32 active, uint32 given);

    /// @notice Registers a model. Signed by the release keys:
    /// `ModelRegistration(bytes32 manufacturer,bytes32 modelClass,uint8 riskClass,uint16 slotMiB,uint256 deadline)`.
    /// @param manufacturer whose
    /// @param modelClass its name, as the manufacturer makes it
    /// @param riskClass 0 test, 1 low, 2 medium, 3 high: fixes delays, signers and the first stage for ever
    /// @param slotMiB largest image
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    /// @return model the id
    function registerModel(
        bytes32 manufacturer,
        bytes32 modelClass,
        uint8 riskClass,
        uint16 slotMiB,
        uint256 deadline,
        Quorum calldata by
    ) external returns (bytes32 model);

    /// @notice Publishes the next release. Signed by the release keys:
    /// `Release(bytes32 model,uint32 sequence,uint32 securityCounter,uint8 kind,uint40 sizeBytes,bytes32 imageSha256,bytes32 manifestDigest,uint40 notBefore,uint16 keysetVersion,uint256 deadline)`.
    /// @param terms what is signed
    /// @param manifest at most 2048 bytes
    /// @param by the release keys
    function publish(ReleaseTerms calldata terms, bytes calldata manifest, Quorum calldata by) external;

    /// @notice Starts a release with the first share of the devices. Anybody may, once it is due.
    /// @param model the model
    /// @param sequence the release
    /// @param manifestDigest keccak-256 of its manifest
    /// @param imageSha256 SHA-256 of its image
    function activate(bytes32 model, uint32 sequence, bytes32 manifestDigest, bytes32 imageSha256) external;

    /// @notice Offers the staged release to more devices; to all at 10000. Signed by the release keys:
    /// `RolloutRaise(bytes32 model,uint32 sequence,uint16 bps,uint24 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param bps the share, in hundredths of a per cent
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function raiseRollout(bytes32 model, uint32 sequence, uint16 bps, uint256 deadline, Quorum calldata by) external;

    /// @notice Raises the release that devices must at least run. Signed by the release keys:
    /// `MinimumRaise(bytes32 model,uint32 minimumSequence,uint40 mandatoryBy,uint256 deadline)`.
    /// @param model the model
    /// @param minimumSequence above the present one, at most the active release
    /// @param mandatoryBy until when devices may put it off, in seconds since 1970
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function raiseMinimum(
        bytes32 model,
        uint32 minimumSequence,
        uint40 mandatoryBy,
        uint256 deadline,
        Quorum calldata by
    ) external;

    /// @notice Where a model stands now.
    /// @param model the model
    /// @return head where it stands
    function headOf(bytes32 model) external view returns (Head memory head);

    /// @notice Whose model it is.
    /// @param model the model
    /// @return manufacturer its id
    function makerOf(bytes32 model) external view returns (bytes32 manufacturer);

    /// @notice Where a release stands now.
    /// @param model the model
    /// @param sequence the release
    /// @return release what is kept of it
    function releaseOf(bytes32 model, uint32 sequence) external view returns (Release memory release);

    /// @notice Whether an image was withdrawn for ever.
    /// @param model the model
    /// @param imageSha256 SHA-256 of the image
    /// @return sequence a number it had; 0 if it was not withdrawn
    function yankedAs(bytes32 model, bytes32 imageSha256) external view returns (uint32 sequence);
}
