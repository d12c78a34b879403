// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IReleaseRegistry} from "./interfaces/IReleaseRegistry.sol";
import {Signers} from "./libraries/Signers.sol";
import {ResearchAccess} from "./ResearchAccess.sol";

/**
 * @title Research releases and who may open them
 * @dev A release: published (threshold) -> live <-> held (one steward, back by threshold) -> withdrawn (threshold, for
 * ever). Two slots: the digest of its terms, and what other steps decide on.
 */
contract ReleaseRegistry is IReleaseRegistry, ResearchAccess {
    /// @dev One slot.
    struct SchemeEntry {
        SchemeStatus status;
        uint8 tier;
        uint16 minimumK;
        uint64 windowBlock;
    }

    bytes32 private constant RESEARCH_RELEASE_TYPEHASH = keccak256(
        "ResearchRelease(uint48 release,bytes32 scheme,bytes32 manifest,bytes32 certificate,bytes32 escrowRoot,uint32 rows,uint32 escrowed,uint16 k,uint8 tier,uint32 dataUse,uint64 windowBlock,uint256 deadline)"
    );
    bytes32 private constant RELEASE_CHALLENGE_TYPEHASH = keccak256(
        "ReleaseChallenge(uint48 release,bytes32 proof,uint256 deadline)"
    );
    bytes32 private constant RELEASE_HOLD_TYPEHASH = keccak256(
        "ReleaseHold(uint48 release,bytes32 reason,uint32 revision,uint256 deadline)"
    );
    bytes32 private constant RELEASE_LET_GO_TYPEHASH = keccak256(
        "ReleaseLetGo(uint48 release,bytes32 reason,uint32 revision,uint256 deadline)"
    );
    bytes32 private constant RELEASE_WITHDRAWAL_TYPEHASH = keccak256(
        "ReleaseWithdrawal(uint48 release,bytes32 reason,uint256 deadline)"
    );

    /// @dev 30 days on a chain with a block every 12 seconds, less on a faster one.
    uint256 private constant MAX_WINDOW_BLOCKS = 216_000;

    uint8 private constant AGGREGATES = 0;
    uint8 private constant PUBLIC_ROWS = 1;
    uint8 private constant REGISTERED_ROWS = 2;
    uint8 private constant CONTROLLED_SERIES = 3;

    /// @inheritdoc IReleaseRegistry
    uint48 public latestRelease;

    /// @inheritdoc IReleaseRegistry
    mapping(uint48 release => bytes32) public digestOf;

    mapping(bytes32 scheme => SchemeEntry) private _schemes;
    mapping(uint48 release => Release) private _releases;
    mapping(bytes32 challengeId => bool) private _challenged;

    constructor(address authority) AccessManaged(authority) EIP712("Salus ReleaseRegistry", "1") {}

    /// @inheritdoc IReleaseRegistry
    function addScheme(Scheme calldata terms) external restricted returns (bytes32 scheme) {
        if (terms.tier > CONTROLLED_SERIES) revert SchemeMalformed();
        bool promisesK = terms.tier == PUBLIC_ROWS || terms.tier == REGISTERED_ROWS;
        if (promisesK && terms.minimumK < 2) revert SchemeMalformed();
        scheme = keccak256(abi.encode(terms));
        if (_schemes[scheme].status != SchemeStatus.Unknown) revert SchemeAlreadyAdded(scheme);

        _schemes[scheme] = SchemeEntry(SchemeStatus.Live, terms.tier, terms.minimumK, 0);
        emit SchemeAdded(scheme, terms);
    }

    /// @inheritdoc IReleaseRegistry
    function retireScheme(bytes32 scheme) external restricted {
        if (_schemes[scheme].status != SchemeStatus.Live) revert SchemeNotLive(scheme);

        _schemes[scheme].status = SchemeStatus.Retired;
        emit SchemeRetired(scheme);
    }

    /// @inheritdoc IReleaseRegistry
    function publishRelease(
        ReleaseTerms calldata terms,
        KeySet calldata set,
        Approval[] calldata approvals
    ) external whenNotPaused {
        _requireInTime(terms.deadline);
        _requirePublishable(terms);
        // Every field of the terms is static, so their encoding is the struct's, in the order of its type.
        bytes32 digest = keccak256(abi.encode(RESEARCH_RELEASE_TYPEHASH, terms));
        _requireStewards(set, digest, approvals);

        latestRelease = terms.release;
        _schemes[terms.scheme].windowBlock = terms.windowBlock;
        digestOf[terms.release] = digest;
        _releases[terms.release] = Release(ReleaseStatus.Live, terms.tier, terms.dataUse, 0);
        emit ReleasePublished(terms.release, terms.scheme, digest, terms);
    }

    /// @inheritdoc IReleaseRegistry
    function challenge(
        uint48 release,
        bytes32 proof,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        _requireStatus(release, _releases[release].status != ReleaseStatus.Unknown);
        bytes32 challengeId = keccak256(abi.encode(release, Signers.id(signer), proof));
        if (_challenged[challengeId]) revert ReleaseAlreadyChallenged(release, proof);
        _requireSigned(signer, keccak256(abi.encode(RELEASE_CHALLENGE_TYPEHASH, release, proof, deadline)), signature);

        _challenged[challengeId] = true;
        emit ReleaseChallenged(release, signer, proof);
    }

    /// @inheritdoc IReleaseRegistry
    function holdRelease(
        uint48 release,
        bytes32 reason,
        uint256 deadline,
        KeySet calldata set,
        Approval calldata approval
    ) external {
        _requireInTime(deadline);
        Release storage entry = _releases[release];
        _requireStatus(release, entry.status == ReleaseStatus.Live);
        _requireSteward(
            set,
            keccak256(abi.encode(RELEASE_HOLD_TYPEHASH, release, reason, entry.revision, deadline)),
            approval
        );

        entry.status = ReleaseStatus.Held;
        entry.revision++;
        emit ReleaseHeld(release, reason);
    }

    /// @inheritdoc IReleaseRegistry
    function letGoRelease(
        uint48 release,
        bytes32 reason,
        uint256 deadline,
        KeySet calldata set,
        Approval[] calldata approvals
    ) external whenNotPaused {
        _requireInTime(deadline);
        Release storage entry = _releases[release];
        _requireStatus(release, entry.status == ReleaseStatus.Held);
        _requireStewards(
            set,
            keccak256(abi.encode(RELEASE_LET_GO_TYPEHASH, release, reason, entry.revision, deadline)),
            approvals
        );

        entry.status = ReleaseStatus.Live;
        entry.revision++;
        emit ReleaseLetGo(release, reason);
    }

    /// @inheritdoc IReleaseRegistry
    function withdrawRelease(
        uint48 release,
        bytes32 reason,
        uint256 deadline,
        KeySet calldata set,
        Approval[] calldata approvals
    ) external {
        _requireInTime(deadline);
        ReleaseStatus status = _releases[release].status;
        _requireStatus(release, status == ReleaseStatus.Live || status == ReleaseStatus.Held);
        _requireStewards(set, keccak256(abi.encode(RELEASE_WITHDRAWAL_TYPEHASH, release, reason, deadline)), approvals);

        _releases[release].status = ReleaseStatus.Withdrawn;
        emit ReleaseWithdrawn(release, reason);
    }

    /// @inheritdoc IReleaseRegistry
    function releaseOf(uint48 release) external view returns (Release memory) {
        return _releases[release];
    }

    /// @inheritdoc IReleaseRegistry
    function schemeOf(bytes32 scheme) external view returns (SchemeStatus status, uint8 tier, uint16 minimumK) {
        SchemeEntry storage entry = _schemes[scheme];
        return (entry.status, entry.tier, entry.minimumK);
    }

    function _release(uint48 release) internal view override returns (Release memory) {
        return _releases[release];
    }

    function _requirePublishable(ReleaseTerms calldata terms) private view {
        if (terms.release != latestRelease + 1) revert ResearchReleaseOutOfSequence(latestRelease + 1, terms.release);
        SchemeEntry memory scheme = _schemes[terms.scheme];
        if (scheme.status != SchemeStatus.Live) revert SchemeNotLive(terms.scheme);
        if (!terms.dataUse.isWellFormed()) revert DataUseMalformed(terms.dataUse);
        if (terms.tier == PUBLIC_ROWS && !terms.dataUse.allowsPublicRows()) revert DataUseMalformed(terms.dataUse);
        if (terms.windowBlock > block.number) revert ReleaseWindowAhead(terms.windowBlock);
        bool isOld = terms.windowBlock < scheme.windowBlock || terms.windowBlock + MAX_WINDOW_BLOCKS < block.number;
        if (isOld) revert ReleaseWindowBehind(terms.windowBlock);
        bool hasRows = terms.tier != AGGREGATES;
        bool isWhole =
            terms.manifest != 0 &&
                terms.certificate != 0 &&
                terms.tier == scheme.tier &&
                terms.k >= scheme.minimumK &&
                hasRows == (terms.rows != 0) &&
                hasRows == (terms.escrowRoot != 0) &&
                terms.escrowed == terms.rows;
        if (!isWhole) revert ResearchReleaseMalformed();
    }

    function _requireStatus(uint48 release, bool isFit) private view {
        if (!isFit) revert ResearchReleaseStatusUnfit(release, _releases[release].status);
    }
}
