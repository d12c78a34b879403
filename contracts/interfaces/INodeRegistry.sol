// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOrganisations} from "./IOrganisations.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title The peers of a consortium, each on the list of the organisation that runs it
 * @notice A listing says who answers for a peer and how much storage it pledges; addresses on the network are no part of it.
 * It carries the peer's own Ed25519 signature (docs/specs/contracts-nodes.md). The chain cannot check that kind, so readers
 * MUST, and pass over a listing that fails: an organisation can then list no stranger's peer to any effect, and since each
 * organisation has its own list, take nobody's place.
 */
interface INodeRegistry is ISignedRequests {
    /// @notice What an organisation asks for when it lists a peer. Signed:
    /// `NodeListing(bytes32 organisation,bytes32 peerKey,uint64 pledgedBytes,uint40 validUntil,uint32 revision,bytes nodeProof,uint256 deadline)`.
    /// @param organisation who runs the peer
    /// @param peerKey the peer's Ed25519 public key
    /// @param pledgedBytes storage for other people's records; 0 for none
    /// @param validUntil end of the listing, in seconds since 1970, at most 366 days ahead; it may be renewed before and after
    /// @param revision one more than the peer's last on this list, 1 for the first
    /// @param nodeProof the peer's signature, 64 bytes
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    struct Listing {
        bytes32 organisation;
        bytes32 peerKey;
        uint64 pledgedBytes;
        uint40 validUntil;
        uint32 revision;
        bytes nodeProof;
        uint256 deadline;
    }

    /// @notice An organisation listed a peer, or renewed its listing.
    /// @param organisation who runs it
    /// @param node its id, keccak-256 of its peer id's 38 bytes
    /// @param peerKey its Ed25519 public key
    /// @param pledgedBytes storage for other people's records
    /// @param validUntil end of the listing, in seconds since 1970
    /// @param revision number of the change, from 1
    /// @param nodeProof the peer's signature, for the reader to check
    event NodeListed(
        bytes32 indexed organisation,
        bytes32 indexed node,
        bytes32 peerKey,
        uint64 pledgedBytes,
        uint40 validUntil,
        uint32 revision,
        bytes nodeProof
    );

    /// @notice An organisation changed what a peer pledges.
    /// @param organisation who runs it
    /// @param node its id
    /// @param pledgedBytes storage for other people's records from now on
    /// @param revision number of the change
    event NodePledgeChanged(bytes32 indexed organisation, bytes32 indexed node, uint64 pledgedBytes, uint32 revision);

    /// @notice An organisation took a peer off its list, for ever.
    /// @param organisation who ran it
    /// @param node its id
    event NodeRetired(bytes32 indexed organisation, bytes32 indexed node);

    /// @notice Governance does not vouch for the organisation, or no longer.
    /// @param organisation the id
    error NodeOperatorNotAccredited(bytes32 organisation);

    /// @notice A peer's key is never zero.
    error NodeKeyMissing();

    /// @notice A peer's Ed25519 signature has 64 bytes.
    /// @param length bytes that were given
    error NodeProofMalformed(uint256 length);

    /// @notice A listing ends in the future, 366 days ahead at most.
    /// @param validUntil as given
    error NodeValidityInvalid(uint40 validUntil);

    /// @notice Changes of a listing are numbered without gaps.
    /// @param node the peer's id
    /// @param expected the only number accepted now
    /// @param actual as given
    error NodeRevisionOutOfSequence(bytes32 node, uint256 expected, uint256 actual);

    /// @notice The organisation never listed this peer.
    /// @param node the peer's id
    error NodeUnknown(bytes32 node);

    /// @notice The organisation took this peer off its list, for ever; give the peer a new key.
    /// @param node the peer's id
    error NodeIsRetired(bytes32 node);

    /// @notice Lists a peer, or renews its listing. Signed by the organisation as {Listing} says.
    /// @param listing what is asked for
    /// @param signer the organisation's, in the form of ERC-7913
    /// @param signature of the organisation's signer
    /// @return node the peer's id
    function list(
        Listing calldata listing,
        bytes calldata signer,
        bytes calldata signature
    ) external returns (bytes32 node);

    /// @notice Changes what a peer pledges. Signed:
    /// `NodePledge(bytes32 organisation,bytes32 node,uint64 pledgedBytes,uint32 revision,uint256 deadline)`.
    /// @param organisation who runs it
    /// @param node its id
    /// @param pledgedBytes storage for other people's records from now on
    /// @param revision one more than the last
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the organisation's, in the form of ERC-7913
    /// @param signature of the organisation's signer
    function changePledge(
        bytes32 organisation,
        bytes32 node,
        uint64 pledgedBytes,
        uint32 revision,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Takes a peer off an organisation's list for ever, also while the organisation is suspended. Signed:
    /// `NodeRetirement(bytes32 organisation,bytes32 node,uint256 deadline)`.
    /// @param organisation who runs it
    /// @param node its id
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer the organisation's, in the form of ERC-7913
    /// @param signature of the organisation's signer
    function retire(
        bytes32 organisation,
        bytes32 node,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice The contract that knows the organisations.
    /// @return where it is
    function organisations() external view returns (IOrganisations);

    /// @notice Whether a peer is on an organisation's list at a time, and governance vouches for the organisation now.
    /// @param organisation who runs it
    /// @param node its id
    /// @param time in seconds since 1970
    /// @return listed false also for an unknown one
    function isListed(bytes32 organisation, bytes32 node, uint256 time) external view returns (bool listed);

    /// @notice A peer on an organisation's list; all zero if it never was.
    /// @param organisation who runs it
    /// @param node its id
    /// @return pledgedBytes storage for other people's records
    /// @return validUntil end of the listing, in seconds since 1970
    /// @return revision number of the last change
    /// @return isRetired whether it was taken off for ever
    function nodeOf(
        bytes32 organisation,
        bytes32 node
    ) external view returns (uint64 pledgedBytes, uint40 validUntil, uint32 revision, bool isRetired);

    /// @notice How many peers an organisation ever listed.
    /// @param organisation the id
    /// @return count retired ones included
    function nodeCountOf(bytes32 organisation) external view returns (uint256 count);

    /// @notice A page of the peers that an organisation ever listed, in the order of their first listing.
    /// @param organisation the id
    /// @param from number of the first, from 0
    /// @param count most that are wanted; 100 at most are given
    /// @return nodes their ids; fewer at the end of the list, none behind it
    function nodesOf(bytes32 organisation, uint256 from, uint256 count) external view returns (bytes32[] memory nodes);
}
