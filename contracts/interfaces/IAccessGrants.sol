// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrantTerms} from "../libraries/GrantTerms.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Who may read and write whose record, until when
 * @notice A grant is opened once, may be claimed as often as its terms say, and is revoked for ever. Compartments and
 * purpose are not on the chain: the grant carries a salted digest of them, the scope.
 */
interface IAccessGrants is ISignedRequests {
    /// @notice A patient opened a grant, alone or in a batch. No field is indexed: that costs less, and whoever looks for
    /// one patient's grants need not tell a node which.
    /// @param patient who grants
    /// @param grantId `keccak256(abi.encode(patient, scope))`
    /// @param terms grantee, time, rights and uses, packed
    event Granted(bytes32 patient, bytes32 grantId, GrantTerms terms);

    /// @notice A patient revoked a grant, or made sure that it can never be opened.
    /// @param patient who revokes
    /// @param grantId the grant
    event Revoked(bytes32 indexed patient, bytes32 indexed grantId);

    /// @notice A grantee used up one use of a grant.
    /// @param grantId the grant
    /// @param usesLeft after this use
    event Claimed(bytes32 indexed grantId, uint8 usesLeft);

    /// @notice The grant was opened before; a relayer may take this for success if the terms are equal.
    /// @param grantId the grant
    error GrantAlreadyOpened(bytes32 grantId);

    /// @notice The grant is revoked, and stays so.
    /// @param grantId the grant
    error GrantIsRevoked(bytes32 grantId);

    /// @notice The terms name no grantee.
    error GrantGranteeMissing();

    /// @notice The terms carry no right, or one that does not exist.
    /// @param rights as given
    error GrantRightsInvalid(uint8 rights);

    /// @notice The terms allow no use.
    error GrantUsesMissing();

    /// @notice The grant would never be live: it ends before it starts, or has ended.
    /// @param notBefore start, in seconds since 1970
    /// @param expiresAt end, in seconds since 1970
    error GrantWindowEmpty(uint40 notBefore, uint40 expiresAt);

    /// @notice The grant is unopened, revoked, spent, not yet or no longer valid: nothing to claim.
    /// @param grantId the grant
    error GrantNotLive(bytes32 grantId);

    /// @notice A grant with unlimited uses is not claimed, only used.
    /// @param grantId the grant
    error GrantNotClaimable(bytes32 grantId);

    /// @notice The claim is not by the grantee.
    /// @param grantId the grant
    /// @param claimant who tried
    error GrantNotYours(bytes32 grantId, address claimant);

    /// @notice Opens a grant. Signed, with the terms unpacked so that a wallet can show them:
    /// `Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,uint32 epoch,uint256 deadline)`.
    /// Not while paused.
    /// @param patient who grants
    /// @param terms packed: grantee 160 bits (low), notBefore 40, expiresAt 40 (2^40-1 for no end), rights 8 (1 read,
    /// 2 write, 4 history), uses 8 (255 for unlimited)
    /// @param scope keccak-256 of the salted grant document, never used for another grant
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`, over the patient's current epoch
    function grant(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice The same for less gas, where the patient's signer is an account and signed with its own key.
    /// @param patient who grants
    /// @param terms packed as for {grant}
    /// @param scope keccak-256 of the salted grant document, never used for another grant
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param r of the signature
    /// @param vs of the signature: s in the low 255 bits, the parity of y above (ERC-2098)
    function grantWithAccount(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes32 r,
        bytes32 vs
    ) external;

    /// @notice Revokes a grant for ever, opened or not: a patient may revoke what was signed but never submitted.
    /// Signed: `Revocation(bytes32 patient,bytes32 scope,uint256 deadline)`.
    /// @param patient who granted
    /// @param scope of the grant
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the patient's present signer
    /// @param signature of `signer`
    function revoke(
        bytes32 patient,
        bytes32 scope,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice The same, sent by the patient's signer itself.
    /// @param patient who granted
    /// @param scope of the grant
    function revokeByAccount(bytes32 patient, bytes32 scope) external;

    /// @notice Uses up one use of a grant. Signed: `Claim(bytes32 grantId,uint8 usesLeft,uint256 deadline)`; `usesLeft`
    /// after the claim, so that a signature counts once.
    /// @param grantId the grant
    /// @param signer the grantee, in the form of ERC-7913
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signature of `signer`
    function claim(bytes32 grantId, bytes calldata signer, uint256 deadline, bytes calldata signature) external;

    /// @notice The same, sent by the grantee itself.
    /// @param grantId the grant
    function claimByAccount(bytes32 grantId) external;

    /// @notice The terms of a grant.
    /// @param grantId the grant
    /// @return packed terms; 0 if it has no slot of its own yet, 1 if it is revoked
    function termsOf(bytes32 grantId) external view returns (GrantTerms);

    /// @notice Whether a grant can be used at a time. For one that was opened in a batch and has no slot of its own
    /// yet, ask {IGrantBatches-isLiveInBatch}.
    /// @param grantId the grant
    /// @param time in seconds since 1970
    /// @return whether it is opened, not revoked, not spent, and within its time
    function isLive(bytes32 grantId, uint256 time) external view returns (bool);
}
