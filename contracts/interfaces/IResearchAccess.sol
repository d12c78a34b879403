// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataUse, Purpose} from "../libraries/DataUse.sol";
import {IStewarded} from "./IStewarded.sol";

/**
 * @title Who may open the releases that are not public
 * @notice A threshold of stewards gives one researcher access to one release for one purpose, until it expires; the
 * researcher signs the same words, and with them the data-use agreement. Access belongs to its signer and cannot be
 * passed on.
 */
interface IResearchAccess is IStewarded {
    /// @notice What stewards and researcher sign.
    /// @param release number of the release
    /// @param researcher id of the researcher's signer: its address, or the last 20 bytes of its keccak-256
    /// @param agreement salted digest of the data-use agreement
    /// @param purpose kind of research, what it undertakes, and what it is besides
    /// @param expiresAt first moment it no longer holds, in seconds since 1970
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct AccessTerms {
        uint48 release;
        address researcher;
        bytes32 agreement;
        Purpose purpose;
        uint40 expiresAt;
        uint256 deadline;
    }

    /// @notice What is kept of an access.
    /// @param researcher id of the researcher's signer; 0 if it was never given
    /// @param expiresAt first moment it no longer holds, in seconds since 1970
    /// @param isRevoked whether it was revoked, which is for ever
    /// @param release number of the release
    struct Access {
        address researcher;
        uint40 expiresAt;
        bool isRevoked;
        uint48 release;
    }

    /// @notice A researcher may open a release.
    /// @param access its id, `keccak256(abi.encode(release, researcher, agreement))`
    /// @param release number of the release
    /// @param researcher in the form of ERC-7913
    /// @param agreement salted digest of the data-use agreement
    /// @param purpose as signed
    /// @param expiresAt first moment it no longer holds
    event AccessGranted(
        bytes32 indexed access,
        uint48 indexed release,
        bytes researcher,
        bytes32 agreement,
        Purpose purpose,
        uint40 expiresAt
    );

    /// @notice An access ended for ever, or can never begin.
    /// @param access its id
    event AccessRevoked(bytes32 indexed access);

    /// @notice This release needs no access, or can give none: it is public, held, withdrawn or unknown.
    /// @param release its number
    error ReleaseGivesNoAccess(uint48 release);

    /// @notice The purpose is not within what the people in the release gave their data for.
    /// @param dataUse of the release
    /// @param purpose as asked
    error PurposeNotAllowed(DataUse dataUse, Purpose purpose);

    /// @notice There is an access of this id already; take another salt in the agreement's digest.
    /// @param access its id
    error AccessAlreadyGiven(bytes32 access);

    /// @notice The access was revoked and can never be live.
    /// @param access its id
    error AccessIsRevoked(bytes32 access);

    /// @notice The access would have ended before it began or last for more than five years (of 365 days), or no
    /// agreement is named.
    error AccessMalformed();

    /// @notice Gives a researcher access to a release. Signed by both sides:
    /// `ResearchAccess(uint48 release,address researcher,bytes32 agreement,uint32 purpose,uint40 expiresAt,uint256 deadline)`.
    /// @param terms of the access
    /// @param set the stewards in force
    /// @param approvals of a threshold of them
    /// @param researcher in the form of ERC-7913
    /// @param acceptance signature of `researcher`
    /// @return access its id
    function grantAccess(
        AccessTerms calldata terms,
        KeySet calldata set,
        Approval[] calldata approvals,
        bytes calldata researcher,
        bytes calldata acceptance
    ) external returns (bytes32 access);

    /// @notice Ends an access for ever; before it was given, keeps it from ever being. Signed:
    /// `ResearchAccessRevocation(bytes32 access,uint256 deadline)`.
    /// @param access its id
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param set the stewards in force
    /// @param approval of one of them
    function revokeAccess(bytes32 access, uint256 deadline, KeySet calldata set, Approval calldata approval) external;

    /// @notice What is kept of an access.
    /// @param access its id
    /// @return what is kept
    function accessOf(bytes32 access) external view returns (Access memory);

    /// @notice Whether an access holds at a time: given, not revoked, not expired, its release neither held nor withdrawn.
    /// @param access its id
    /// @param time in seconds since 1970
    /// @return whether it holds
    function isAccessLive(bytes32 access, uint256 time) external view returns (bool);

    /// @notice Whether a purpose lies within what data was given for, as far as terms without parameters can say.
    /// @param dataUse as a release has it
    /// @param purpose as a researcher asks
    /// @return whether it does
    function isPurposeAllowed(DataUse dataUse, Purpose purpose) external pure returns (bool);
}
