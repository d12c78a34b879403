// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFirmwareFleets} from "./IFirmwareFleets.sol";

/// @title Manufacturers, their models, the releases devices may install, and what is said about them
interface IFirmwareRegistry is IFirmwareFleets {
    /// @notice Something to know about releases of a model.
    /// @param model the model
    /// @param fromSequence first release it is about
    /// @param toSequence last one
    /// @param vulnerability name of it, or keccak-256 of a longer one
    /// @param impact 0 not affected, 1 affected, 2 fixed, 3 under investigation
    /// @param documentDigest SHA-256 of the document that explains it
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct AdvisoryTerms {
        bytes32 model;
        uint32 fromSequence;
        uint32 toSequence;
        bytes32 vulnerability;
        uint8 impact;
        bytes32 documentDigest;
        uint256 deadline;
    }

    /// @notice There is something to know about releases of a model.
    /// @param model the model
    /// @param vulnerability name of it, or keccak-256 of a longer one
    /// @param terms all of it
    event AdvisoryAdded(bytes32 indexed model, bytes32 indexed vulnerability, AdvisoryTerms terms);

    /// @notice Somebody built a release again.
    /// @param model the model
    /// @param sequence the release
    /// @param signer who, in the form of ERC-7913
    /// @param imageSha256 SHA-256 of what came out
    event RebuildAdded(bytes32 indexed model, uint32 indexed sequence, bytes signer, bytes32 imageSha256);

    /// @notice This was said before.
    /// @param statement digest of it
    error StatementKnown(bytes32 statement);

    /// @notice The releases are none, or not published yet.
    /// @param fromSequence first
    /// @param toSequence last
    error AdvisoryRangeInvalid(uint32 fromSequence, uint32 toSequence);

    /// @notice Says something about releases of a model, for ever. Signed by the release keys, by a guard or by stewards:
    /// `Advisory(bytes32 model,uint32 fromSequence,uint32 toSequence,bytes32 vulnerability,uint8 impact,bytes32 documentDigest,uint256 deadline)`.
    /// @param terms what is signed
    /// @param by the release keys, the guards, or the stewards of a manufacturer that is gone
    function addAdvisory(AdvisoryTerms calldata terms, Quorum calldata by) external;

    /// @notice Says what came out when somebody built a release again, once and for ever. Signed by whoever did:
    /// `Rebuild(bytes32 model,uint32 sequence,bytes32 imageSha256,uint256 deadline)`.
    /// @param model the model
    /// @param sequence the release
    /// @param imageSha256 SHA-256 of what came out
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer who, in the form of ERC-7913
    /// @param signature over it
    function addRebuild(
        bytes32 model,
        uint32 sequence,
        bytes32 imageSha256,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;
}
