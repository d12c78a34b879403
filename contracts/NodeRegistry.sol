// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "./Governed.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {NodeTerms, NodeTermsLib} from "./libraries/NodeTerms.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title The peers of a consortium, each on the list of the organisation that runs it
 * @dev Pausing and suspension stop what is new, listing and pledging; a peer can be retired at any time.
 */
contract NodeRegistry is INodeRegistry, SignedRequests, Governed {
    uint256 private constant MAX_VALIDITY = 366 days;
    uint256 private constant MAX_PAGE = 100;
    uint256 private constant ED25519_SIGNATURE_BYTES = 64;

    /// @dev A peer id of libp2p before its Ed25519 key: an identity multihash of 36 bytes, which are a key type and 32 bytes.
    bytes6 private constant PEER_ID_PREFIX = 0x002408011220;

    bytes32 private constant NODE_LISTING_TYPEHASH = keccak256(
        "NodeListing(bytes32 organisation,bytes32 peerKey,uint64 pledgedBytes,uint40 validUntil,uint32 revision,bytes nodeProof,uint256 deadline)"
    );
    bytes32 private constant NODE_PLEDGE_TYPEHASH = keccak256(
        "NodePledge(bytes32 organisation,bytes32 node,uint64 pledgedBytes,uint32 revision,uint256 deadline)"
    );
    bytes32 private constant NODE_RETIREMENT_TYPEHASH = keccak256(
        "NodeRetirement(bytes32 organisation,bytes32 node,uint256 deadline)"
    );

    /// @inheritdoc INodeRegistry
    IOrganisations public immutable organisations;

    mapping(bytes32 organisation => mapping(bytes32 node => NodeTerms)) private _terms;
    mapping(bytes32 organisation => bytes32[]) private _nodes;

    constructor(
        address authority,
        IOrganisations organisations_
    ) EIP712("Salus NodeRegistry", "1") AccessManaged(authority) {
        organisations = organisations_;
    }

    /// @inheritdoc INodeRegistry
    function list(
        Listing calldata listing,
        bytes calldata signer,
        bytes calldata signature
    ) external whenNotPaused returns (bytes32 node) {
        _requireInTime(listing.deadline);
        _requireAccredited(listing.organisation);
        _requireSound(listing);
        node = keccak256(abi.encodePacked(PEER_ID_PREFIX, listing.peerKey));
        _requireNext(_terms[listing.organisation][node], node, listing.revision);
        _requireSignedBy(organisations.signerOf(listing.organisation), signer, _hashListing(listing), signature);

        if (listing.revision == 1) _nodes[listing.organisation].push(node);
        _terms[listing.organisation][node] = NodeTermsLib.pack(
            listing.pledgedBytes,
            listing.validUntil,
            listing.revision
        );
        emit NodeListed(
            listing.organisation,
            node,
            listing.peerKey,
            listing.pledgedBytes,
            listing.validUntil,
            listing.revision,
            listing.nodeProof
        );
    }

    /// @inheritdoc INodeRegistry
    function changePledge(
        bytes32 organisation,
        bytes32 node,
        uint64 pledgedBytes,
        uint32 revision,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external whenNotPaused {
        _requireInTime(deadline);
        _requireAccredited(organisation);
        NodeTerms terms = _known(organisation, node);
        _requireNext(terms, node, revision);
        _requireSignedBy(
            organisations.signerOf(organisation),
            signer,
            keccak256(abi.encode(NODE_PLEDGE_TYPEHASH, organisation, node, pledgedBytes, revision, deadline)),
            signature
        );

        _terms[organisation][node] = NodeTermsLib.pack(pledgedBytes, terms.validUntil(), revision);
        emit NodePledgeChanged(organisation, node, pledgedBytes, revision);
    }

    /// @inheritdoc INodeRegistry
    function retire(
        bytes32 organisation,
        bytes32 node,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        NodeTerms terms = _known(organisation, node);
        if (terms.isRetired()) revert NodeIsRetired(node);
        _requireSignedBy(
            organisations.signerOf(organisation),
            signer,
            keccak256(abi.encode(NODE_RETIREMENT_TYPEHASH, organisation, node, deadline)),
            signature
        );

        _terms[organisation][node] = terms.asRetired();
        emit NodeRetired(organisation, node);
    }

    /// @inheritdoc INodeRegistry
    function isListed(bytes32 organisation, bytes32 node, uint256 time) external view returns (bool) {
        return _terms[organisation][node].isListedAt(time) && organisations.isAccredited(organisation);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(
        bytes32 organisation,
        bytes32 node
    ) external view returns (uint64 pledgedBytes, uint40 validUntil, uint32 revision, bool isRetired) {
        NodeTerms terms = _terms[organisation][node];
        return (terms.pledgedBytes(), terms.validUntil(), terms.revision(), terms.isRetired());
    }

    /// @inheritdoc INodeRegistry
    function nodeCountOf(bytes32 organisation) external view returns (uint256) {
        return _nodes[organisation].length;
    }

    /// @inheritdoc INodeRegistry
    function nodesOf(bytes32 organisation, uint256 from, uint256 count) external view returns (bytes32[] memory nodes) {
        bytes32[] storage all = _nodes[organisation];
        uint256 behind = Math.saturatingSub(all.length, from);
        nodes = new bytes32[](Math.min(behind, Math.min(count, MAX_PAGE)));
        for (uint256 i = 0; i < nodes.length; ++i) nodes[i] = all[from + i];
    }

    /// @dev What does not depend on the chain's state. The proof is for readers to check: the chain knows no Ed25519.
    function _requireSound(Listing calldata listing) private view {
        if (listing.peerKey == 0) revert NodeKeyMissing();
        uint256 length = listing.nodeProof.length;
        if (length != ED25519_SIGNATURE_BYTES) revert NodeProofMalformed(length);
        uint40 validUntil = listing.validUntil;
        if (validUntil <= block.timestamp || validUntil > block.timestamp + MAX_VALIDITY) {
            revert NodeValidityInvalid(validUntil);
        }
    }

    function _requireAccredited(bytes32 organisation) private view {
        if (!organisations.isAccredited(organisation)) revert NodeOperatorNotAccredited(organisation);
    }

    /// @dev The revision is what a signature cannot be used twice for.
    function _requireNext(NodeTerms terms, bytes32 node, uint32 revision) private pure {
        if (terms.isRetired()) revert NodeIsRetired(node);
        uint256 expected = uint256(terms.revision()) + 1;
        if (revision != expected) revert NodeRevisionOutOfSequence(node, expected, revision);
    }

    function _hashListing(Listing calldata listing) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    NODE_LISTING_TYPEHASH,
                    listing.organisation,
                    listing.peerKey,
                    listing.pledgedBytes,
                    listing.validUntil,
                    listing.revision,
                    keccak256(listing.nodeProof),
                    listing.deadline
                )
            );
    }

    function _known(bytes32 organisation, bytes32 node) private view returns (NodeTerms terms) {
        terms = _terms[organisation][node];
        if (terms.isUnknown()) revert NodeUnknown(node);
    }
}
