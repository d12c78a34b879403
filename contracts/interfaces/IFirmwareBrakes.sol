// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFirmwareSunsets} from "./IFirmwareSunsets.sol";

/**
 * @title Stopping releases
 * @notice Stopping is easy and going on is not: one guard holds or yanks at once; only the release keys let go on, after
 * the delay of the model's class. A guard's hold lapses after 14 days unless it is confirmed, so that a stolen guard key
 * delays and does not starve. None of this can be paused.
 */
interface IFirmwareBrakes is IFirmwareSunsets {
    /// @notice One of the numbers under which an image was published.
    /// @param sequence the number
    /// @param manifestDigest keccak-256 of the manifest
    struct Number {
        uint32 sequence;
        bytes32 manifestDigest;
    }

    /// @notice A release is stopped for now.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param heldUntil when it lapses, in seconds since 1970; 2^40-1 if it does not
    event ReleaseHeld(bytes32 indexed model, uint32 sequence, uint32 reason, uint40 heldUntil);

    /// @notice A release goes on.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param heldUntil from when on, in seconds since 1970
    event ReleaseUnheld(bytes32 indexed model, uint32 sequence, uint32 reason, uint40 heldUntil);

    /// @notice An image is withdrawn for ever, under every number it has.
    /// @param model the model
    /// @param imageSha256 SHA-256 of the image
    /// @param reason the manufacturer's number for it
    event ImageYanked(bytes32 indexed model, bytes32 indexed imageSha256, uint32 reason);

    /// @notice One of the image's numbers is out of circulation.
    /// @param model the model
    /// @param sequence the release
    event ReleaseYanked(bytes32 indexed model, uint32 indexed sequence);

    /// @notice Whoever sends this is not the release's guard on duty; send a signed request.
    /// @param sender who sent it
    error GuardNotOnDuty(address sender);

    /// @notice The manufacturer is still there, so its stewards may do nothing.
    /// @param until it counts as gone, in seconds since 1970
    error StewardsNotNeeded(uint256 until);

    /// @notice A yank names at least one number of the image.
    error NumberMissing();

    /// @notice The image was not withdrawn.
    /// @param imageSha256 the image
    error ImageNotYanked(bytes32 imageSha256);

    /// @notice The share must fall.
    /// @param present the share
    /// @param given what was asked for
    error RolloutNotLower(uint16 present, uint16 given);

    /// @notice Stops a release, for 14 days. For the guard that was on duty when it was published or last let go on, who
    /// pays for it.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    function holdOnDuty(bytes32 model, uint32 sequence, uint32 reason) external;

    /// @notice Stops a release: for 14 days by a guard, until it is let go by stewards. One that was let go can be stopped
    /// again before it goes on. Signed by one of them:
    /// `Hold(bytes32 model,uint32 sequence,uint32 reason,uint24 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the guards, or the stewards of a manufacturer that is gone
    function hold(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Quorum calldata by) external;

    /// @notice Makes a hold last until it is let go. Signed by the release keys, or by stewards:
    /// `HoldConfirmation(bytes32 model,uint32 sequence,uint24 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys, or the stewards of a manufacturer that is gone
    function confirmHold(bytes32 model, uint32 sequence, uint256 deadline, Quorum calldata by) external;

    /// @notice Lets a held release go on after the delay of its class; one that was for all devices starts again with the
    /// first stage. Signed by the release keys:
    /// `Unhold(bytes32 model,uint32 sequence,uint32 reason,uint24 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param reason the manufacturer's number for it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the release keys
    function unhold(bytes32 model, uint32 sequence, uint32 reason, uint256 deadline, Quorum calldata by) external;

    /// @notice Withdraws an image for ever. Signed by a guard or by stewards:
    /// `Yank(bytes32 model,bytes32 imageSha256,uint32 reason,uint256 deadline)`; no revision, so that no other change can
    /// outrun it. Of an image that is withdrawn already it takes the numbers that were left out.
    /// @param model the model
    /// @param imageSha256 SHA-256 of the image
    /// @param reason the manufacturer's number for it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the guards, or the stewards of a manufacturer that is gone
    /// @param numbers under which it was published, at least one
    function yank(
        bytes32 model,
        bytes32 imageSha256,
        uint32 reason,
        uint256 deadline,
        Quorum calldata by,
        Number[] calldata numbers
    ) external;

    /// @notice Takes further numbers of a withdrawn image out of circulation. Anybody may.
    /// @param model the model
    /// @param imageSha256 SHA-256 of the image
    /// @param numbers under which it was published
    function spreadYank(bytes32 model, bytes32 imageSha256, Number[] calldata numbers) external;

    /// @notice Offers the staged release to fewer devices; to none at 0. Signed by a guard or by stewards:
    /// `RolloutCut(bytes32 model,uint32 sequence,uint16 bps,uint24 revision,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param bps the share, in hundredths of a per cent
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the guards, or the stewards of a manufacturer that is gone
    function cutRollout(bytes32 model, uint32 sequence, uint16 bps, uint256 deadline, Quorum calldata by) external;
}
