// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataUse} from "../libraries/DataUse.sol";
import {ISignedRequests} from "./ISignedRequests.sol";
import {IStewarded} from "./IStewarded.sol";

/**
 * @title Research releases: blocks of coarsened rows, and aggregates
 * @notice A release comes from a scheme that governance has admitted and carries the signatures of a threshold of
 * stewards. The chain keeps digests of what anyone who has the release recomputes from it; it never names a patient.
 */
interface IReleaseRegistry is IStewarded, ISignedRequests {
    /// @notice A way of coarsening records.
    /// @param rules keccak-256 of the scheme: fields, hierarchies, groups, what is dropped
    /// @param code keccak-256 of the program that applies it
    /// @param parameters keccak-256 of its parameters
    /// @param tier 0 aggregates, 1 public rows, 2 registered rows, 3 controlled series
    /// @param minimumK fewest patients that share a combination; at least 2 in tiers 1 and 2, where k is the promise
    struct Scheme {
        bytes32 rules;
        bytes32 code;
        bytes32 parameters;
        uint8 tier;
        uint16 minimumK;
    }

    /// @notice What the stewards sign of a release.
    /// @param release its number, one more than the last
    /// @param scheme id of the scheme that made it
    /// @param manifest salted digest of its manifest
    /// @param certificate keccak-256 of its certificate
    /// @param escrowRoot Merkle root over the sealed additional identifiers; 0 for aggregates
    /// @param rows how many rows it has; 0 for aggregates
    /// @param escrowed how many of them have sealed additional identifiers: all
    /// @param k fewest patients that share a combination
    /// @param tier of the scheme
    /// @param dataUse for what its people gave their data
    /// @param windowBlock block at which counting began; who had withdrawn by then is not in it. At most 216,000 blocks ago,
    /// and never before the one of an earlier release of the scheme
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct ReleaseTerms {
        uint48 release;
        bytes32 scheme;
        bytes32 manifest;
        bytes32 certificate;
        bytes32 escrowRoot;
        uint32 rows;
        uint32 escrowed;
        uint16 k;
        uint8 tier;
        DataUse dataUse;
        uint64 windowBlock;
        uint256 deadline;
    }

    /// @notice Where a scheme stands. `Retired` is for ever.
    enum SchemeStatus {
        Unknown,
        Live,
        Retired
    }

    /// @notice Where a release stands. `Withdrawn` is for ever.
    enum ReleaseStatus {
        Unknown,
        Live,
        Held,
        Withdrawn
    }

    /// @notice What is kept of a release, but for its digest.
    /// @param status where it stands
    /// @param tier 0 aggregates, 1 public rows, 2 registered rows, 3 controlled series
    /// @param dataUse for what its people gave their data
    /// @param revision number of holds and their ends so far; signed into the next
    struct Release {
        ReleaseStatus status;
        uint8 tier;
        DataUse dataUse;
        uint32 revision;
    }

    /// @notice A scheme may make releases.
    /// @param scheme its id, `keccak256(abi.encode(rules, code, parameters, tier, minimumK))`
    /// @param terms of the scheme
    event SchemeAdded(bytes32 indexed scheme, Scheme terms);

    /// @notice A scheme makes no more releases, for ever.
    /// @param scheme its id
    event SchemeRetired(bytes32 indexed scheme);

    /// @notice A release came out.
    /// @param release its number
    /// @param scheme that made it
    /// @param digest as {digestOf} gives it
    /// @param terms as signed
    event ReleasePublished(uint48 indexed release, bytes32 indexed scheme, bytes32 digest, ReleaseTerms terms);

    /// @notice Somebody says that a release does not keep what its certificate says.
    /// @param release its number
    /// @param challenger who says so, in the form of ERC-7913
    /// @param proof keccak-256 of the evidence, which lies elsewhere
    event ReleaseChallenged(uint48 indexed release, bytes challenger, bytes32 proof);

    /// @notice No new access to a release until this is looked into.
    /// @param release its number
    /// @param reason salted digest
    event ReleaseHeld(uint48 indexed release, bytes32 reason);

    /// @notice The hold of a release has ended.
    /// @param release its number
    /// @param reason salted digest
    event ReleaseLetGo(uint48 indexed release, bytes32 reason);

    /// @notice A release is withdrawn, for ever. Copies of a public one cannot be recalled.
    /// @param release its number
    /// @param reason salted digest
    event ReleaseWithdrawn(uint48 indexed release, bytes32 reason);

    /// @notice The scheme is live or retired already.
    /// @param scheme its id
    error SchemeAlreadyAdded(bytes32 scheme);

    /// @notice The scheme is unknown or retired.
    /// @param scheme its id
    error SchemeNotLive(bytes32 scheme);

    /// @notice No such tier, or rows that fewer than two patients share.
    error SchemeMalformed();

    /// @notice Research releases come in an unbroken sequence.
    /// @param expected the only number accepted now
    /// @param actual as given
    error ResearchReleaseOutOfSequence(uint48 expected, uint48 actual);

    /// @notice A digest is missing, the tier is not the scheme's, rows without sealed identifiers, k below the scheme's.
    error ResearchReleaseMalformed();

    /// @notice Not one permission, unknown terms, re-identification not ruled out, or public rows not permitted.
    /// @param dataUse as given
    error DataUseMalformed(DataUse dataUse);

    /// @notice Counting cannot have begun in a block that does not exist yet.
    /// @param windowBlock as given
    error ReleaseWindowAhead(uint64 windowBlock);

    /// @notice Counting began more than 216,000 blocks ago, or before it began for an earlier release of the scheme.
    /// @param windowBlock as given
    error ReleaseWindowBehind(uint64 windowBlock);

    /// @notice The release is not where this step starts from.
    /// @param release its number
    /// @param status where it stands
    error ResearchReleaseStatusUnfit(uint48 release, ReleaseStatus status);

    /// @notice This challenger has raised this evidence before.
    /// @param release its number
    /// @param proof as given
    error ReleaseAlreadyChallenged(uint48 release, bytes32 proof);

    /// @notice Admits a scheme. For governance alone, after its delay.
    /// @param terms of the scheme
    /// @return scheme its id
    function addScheme(Scheme calldata terms) external returns (bytes32 scheme);

    /// @notice Ends a scheme for ever. For governance alone.
    /// @param scheme its id
    function retireScheme(bytes32 scheme) external;

    /// @notice Publishes a release. Signed:
    /// `ResearchRelease(uint48 release,bytes32 scheme,bytes32 manifest,bytes32 certificate,bytes32 escrowRoot,uint32 rows,uint32 escrowed,uint16 k,uint8 tier,uint32 dataUse,uint64 windowBlock,uint256 deadline)`.
    /// @param terms of the release
    /// @param set the stewards in force
    /// @param approvals of a threshold of them
    function publishRelease(ReleaseTerms calldata terms, KeySet calldata set, Approval[] calldata approvals) external;

    /// @notice Says that a release does not keep its promise. Signed:
    /// `ReleaseChallenge(uint48 release,bytes32 proof,uint256 deadline)`.
    /// @param release its number
    /// @param proof keccak-256 of the evidence
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer anybody, in the form of ERC-7913
    /// @param signature of `signer`
    function challenge(
        uint48 release,
        bytes32 proof,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Stops new access to a live release. Signed:
    /// `ReleaseHold(uint48 release,bytes32 reason,uint32 revision,uint256 deadline)`.
    /// @param release its number
    /// @param reason salted digest
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the stewards in force
    /// @param approval of one of them
    function holdRelease(
        uint48 release,
        bytes32 reason,
        uint256 deadline,
        KeySet calldata set,
        Approval calldata approval
    ) external;

    /// @notice Ends a hold. Signed: `ReleaseLetGo(uint48 release,bytes32 reason,uint32 revision,uint256 deadline)`.
    /// @param release its number
    /// @param reason salted digest
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the stewards in force
    /// @param approvals of a threshold of them
    function letGoRelease(
        uint48 release,
        bytes32 reason,
        uint256 deadline,
        KeySet calldata set,
        Approval[] calldata approvals
    ) external;

    /// @notice Withdraws a release for ever. Signed:
    /// `ReleaseWithdrawal(uint48 release,bytes32 reason,uint256 deadline)`.
    /// @param release its number
    /// @param reason salted digest
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the stewards in force
    /// @param approvals of a threshold of them
    function withdrawRelease(
        uint48 release,
        bytes32 reason,
        uint256 deadline,
        KeySet calldata set,
        Approval[] calldata approvals
    ) external;

    /// @notice Number of the newest release; 0 before the first.
    /// @return the number
    function latestRelease() external view returns (uint48);

    /// @notice Where a release stands.
    /// @param release its number
    /// @return what is kept of it; `Unknown` if there is none of this number
    function releaseOf(uint48 release) external view returns (Release memory);

    /// @notice What a release's terms hash to, so that nobody can hand out others.
    /// @param release its number
    /// @return the EIP-712 struct hash of its `ResearchRelease`; 0 if there is none
    function digestOf(uint48 release) external view returns (bytes32);

    /// @notice Where a scheme stands.
    /// @param scheme its id
    /// @return status where it stands
    /// @return tier of its releases
    /// @return minimumK fewest patients that share a combination
    function schemeOf(bytes32 scheme) external view returns (SchemeStatus status, uint8 tier, uint16 minimumK);
}
