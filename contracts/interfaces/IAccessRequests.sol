// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Who asks for access, as a matter of record
 * @notice A grantee-to-be leaves a salted digest of what it asks for and sends the words themselves to the patient, off
 * the chain: the patient sees that the request was made, by whom and when; nobody else learns whose record it is about.
 * Part of {IAccessGrants}'s contract.
 */
interface IAccessRequests is ISignedRequests {
    /// @notice Somebody asks a patient for access.
    /// @param request keccak-256 of the request document, which has 32 random bytes in it
    /// @param requester id of the signer who asks
    event AccessRequested(bytes32 indexed request, address requester);

    /// @notice A request's digest is never zero.
    error AccessRequestMissing();

    /// @notice The same request was made before.
    /// @param request the digest
    error AccessRequestMadeBefore(bytes32 request);

    /// @notice Leaves a request. Signed: `AccessRequest(address requester,bytes32 request,uint256 deadline)`, in which
    /// `requester` is the id of `signer`. Not while paused.
    /// @param request keccak-256 of the request document, which must have 32 random bytes in it: the digest is public,
    /// and without them whoever guesses the document learns whose record it is about
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer who asks, in the form of ERC-7913
    /// @param signature of `signer`
    function requestAccess(bytes32 request, uint256 deadline, bytes calldata signer, bytes calldata signature) external;
}
