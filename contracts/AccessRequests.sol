// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IAccessRequests} from "./interfaces/IAccessRequests.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title Who asks for access, as a matter of record
/// @dev A digest is kept for each who asks, so that nobody can use up another's by being first.
abstract contract AccessRequests is IAccessRequests, SignedRequests, Governed {
    bytes32 private constant ACCESS_REQUEST_TYPEHASH = keccak256(
        "AccessRequest(address requester,bytes32 request,uint256 deadline)"
    );

    mapping(address requester => mapping(bytes32 request => bool)) private _isMade;

    /// @inheritdoc IAccessRequests
    function requestAccess(
        bytes32 request,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external whenNotPaused {
        _requireInTime(deadline);
        if (request == 0) revert AccessRequestMissing();
        address requester = Signers.id(signer);
        if (_isMade[requester][request]) revert AccessRequestMadeBefore(request);
        _requireSigned(signer, keccak256(abi.encode(ACCESS_REQUEST_TYPEHASH, requester, request, deadline)), signature);

        _isMade[requester][request] = true;
        emit AccessRequested(request, requester);
    }
}
