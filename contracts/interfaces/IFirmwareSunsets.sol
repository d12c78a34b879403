// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFirmwareReleases} from "./IFirmwareReleases.sol";

/**
 * @title The end of a model
 * @notice Ends for ever what may be published for a model, and names who may still stop it. It takes effect 48 hours
 * after it was proposed. In that time the root keys can cancel it; another release, or other keys in force, void it.
 */
interface IFirmwareSunsets is IFirmwareReleases {
    /// @notice The model will end, unless that is cancelled or voided.
    /// @param model the model
    /// @param finalSequence its last release
    /// @param due time from which anybody can complete it, in seconds since 1970
    /// @param stewards who may stop it from then on
    event SunsetProposed(bytes32 indexed model, uint32 finalSequence, uint40 due, SignerSet stewards);

    /// @notice The model does not end as proposed.
    /// @param model the model
    event SunsetCancelled(bytes32 indexed model);

    /// @notice No release follows, and the stewards that were proposed may stop the model.
    /// @param model the model
    /// @param finalSequence the last release
    event ModelSunset(bytes32 indexed model, uint32 finalSequence);

    /// @notice Another sunset or cancellation came in between.
    /// @param expected the next nonce
    /// @param given what was signed
    error SunsetOutOfSequence(uint32 expected, uint32 given);

    /// @notice No sunset is under way, or the keys that proposed it were replaced.
    error SunsetNotProposed();

    /// @notice The sunset can be completed only later.
    /// @param due from when on, in seconds since 1970
    error SunsetNotDue(uint40 due);

    /// @notice Proposes to end a model: its newest release is its last, and its stewards may stop it. Takes effect at the
    /// earliest 48 hours later. Signed by the root keys:
    /// `Sunset(bytes32 model,uint32 finalSequence,bytes32 stewards,uint32 nonce,uint256 deadline)`.
    /// @param model the model
    /// @param finalSequence its newest release
    /// @param stewards who may stop it from then on
    /// @param nonce as {sunsetOf} gives it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the root keys
    function proposeSunset(
        bytes32 model,
        uint32 finalSequence,
        SignerSet calldata stewards,
        uint32 nonce,
        uint256 deadline,
        Quorum calldata by
    ) external;

    /// @notice Ends a sunset before it takes effect. Signed by the root keys:
    /// `SunsetCancellation(bytes32 model,uint32 nonce,uint256 deadline)`.
    /// @param model the model
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param by the root keys
    function cancelSunset(bytes32 model, uint256 deadline, Quorum calldata by) external;

    /// @notice Ends a model as proposed. Anybody may, once it is due.
    /// @param model the model
    function completeSunset(bytes32 model) external;

    /// @notice What is proposed for the end of a model, or ended it.
    /// @param model the model
    /// @return nonce what the next proposal or cancellation signs
    /// @return due from when on the one under way can be completed, in seconds since 1970; 0 if there is none. A release or
    /// other keys that voided it leave this as it was
    /// @return finalSequence the last release
    /// @return stewards digest of the set
    function sunsetOf(
        bytes32 model
    ) external view returns (uint32 nonce, uint40 due, uint32 finalSequence, bytes32 stewards);
}
