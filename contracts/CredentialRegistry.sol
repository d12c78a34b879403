// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Governed} from "./Governed.sol";
import {ICredentialRegistry} from "./interfaces/ICredentialRegistry.sol";
import {CredentialTerms, CredentialTermsLib} from "./libraries/CredentialTerms.sol";
import {Signers} from "./libraries/Signers.sol";
import {SignedRequests} from "./SignedRequests.sol";

/**
 * @title Organisations that governance accredits, and the credentials they issue to their staff
 * @dev A credential's own slot is its replay guard: once written it is never zero again. The id holds the holder, so
 * nobody can use up the id of somebody else.
 */
contract CredentialRegistry is ICredentialRegistry, SignedRequests, Governed {
    /**
     * @dev One slot:
     *
     *  255          200 199      192 191          160 159                0
     * +----------------+------------+----------------+-------------------+
     * |     unused     |  standing  |     nonce      |      signer       |
     * +----------------+------------+----------------+-------------------+
     */
    struct Organisation {
        address signer;
        uint32 nonce;
        Standing standing;
    }

    /// @dev Two slots; the first is drawn in libraries/CredentialTerms.sol.
    struct Credential {
        CredentialTerms terms;
        bytes32 organisation;
    }

    /// @dev How many organisations are accredited, and how many are suspended and not excluded.
    struct Census {
        uint128 accredited;
        uint128 suspended;
    }

    /// @dev One part in three of the organisations may be suspended before they are heard: the others go on.
    uint256 private constant SUSPENDED_PART = 3;

    /// @dev Nobody vouches for anybody for ever. Licences to practise are renewed more often than this.
    uint256 private constant MAX_AHEAD = 5 * 366 days;

    bytes32 private constant ORGANISATION_ROTATION_TYPEHASH = keccak256(
        "OrganisationRotation(bytes32 organisation,bytes newSigner,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant CREDENTIAL_TYPEHASH = keccak256(
        "Credential(bytes32 organisation,address holder,uint16 role,uint16 specialty,uint32 notBefore,uint32 expiresAt,bytes32 salt,uint256 deadline)"
    );
    bytes32 private constant CREDENTIAL_BATCH_TYPEHASH = keccak256(
        "CredentialBatch(Credential[] credentials,uint256 deadline)Credential(bytes32 organisation,address holder,uint16 role,uint16 specialty,uint32 notBefore,uint32 expiresAt,bytes32 salt,uint256 deadline)"
    );
    bytes32 private constant CREDENTIAL_REVOCATION_TYPEHASH = keccak256(
        "CredentialRevocation(bytes32 credential,uint256 deadline)"
    );

    Census private _census;
    mapping(bytes32 organisation => Organisation) private _organisations;
    mapping(bytes32 organisation => mapping(address signer => bool)) private _isFormerSigner;
    mapping(bytes32 credential => Credential) private _credentials;

    constructor(address authority) EIP712("Salus CredentialRegistry", "1") AccessManaged(authority) {}

    /// @inheritdoc ICredentialRegistry
    function accredit(
        bytes calldata signer,
        bytes32 profile,
        bytes32 salt
    ) external restricted whenNotPaused returns (bytes32 organisation) {
        _requireWellFormed(signer);
        if (profile == 0) revert OrganisationProfileMissing();
        organisation = keccak256(abi.encode(keccak256(signer), salt));
        Organisation storage entry = _organisations[organisation];
        if (entry.standing != Standing.Unknown) revert OrganisationAlreadyAccredited(organisation);

        entry.signer = Signers.id(signer);
        entry.standing = Standing.Accredited;
        _census.accredited++;
        emit OrganisationAccredited(organisation, signer, profile);
    }

    /// @inheritdoc ICredentialRegistry
    function suspend(bytes32 organisation) external restricted {
        _requireAccredited(organisation);
        Census memory census = _census;
        uint256 most = (uint256(census.accredited) + census.suspended) / SUSPENDED_PART;
        if (census.suspended > 0 && census.suspended >= most) revert SuspensionsExhausted(census.suspended);

        _organisations[organisation].standing = Standing.Suspended;
        _census = Census(census.accredited - 1, census.suspended + 1);
        emit OrganisationSuspended(organisation);
    }

    /// @inheritdoc ICredentialRegistry
    function exclude(bytes32 organisation) external restricted {
        Organisation storage entry = _known(organisation);
        if (entry.standing == Standing.Excluded) revert OrganisationNotAccredited(organisation);

        if (entry.standing == Standing.Suspended) _census.suspended--;
        else _census.accredited--;
        entry.standing = Standing.Excluded;
        emit OrganisationExcluded(organisation);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstate(bytes32 organisation) external restricted whenNotPaused {
        Organisation storage entry = _organisations[organisation];
        Standing standing = entry.standing;
        if (standing != Standing.Suspended && standing != Standing.Excluded)
            revert OrganisationNotSuspended(organisation);

        if (standing == Standing.Suspended) _census.suspended--;
        _census.accredited++;
        entry.standing = Standing.Accredited;
        emit OrganisationReinstated(organisation);
    }

    /// @inheritdoc ICredentialRegistry
    function rotateSigner(
        bytes32 organisation,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature,
        bytes calldata newSignature
    ) external {
        _requireInTime(deadline);
        _requireWellFormed(newSigner);
        Organisation storage entry = _known(organisation);
        bytes32 structHash = keccak256(
            abi.encode(
                ORGANISATION_ROTATION_TYPEHASH,
                organisation,
                keccak256(newSigner),
                uint256(entry.nonce),
                deadline
            )
        );
        _requireSignedBy(entry.signer, signer, structHash, signature);
        _requireSigned(newSigner, structHash, newSignature);
        address newId = Signers.id(newSigner);
        _isFormerSigner[organisation][entry.signer] = true;
        if (_isFormerSigner[organisation][newId]) revert OrganisationSignerReplaced(organisation, newId);

        entry.nonce++;
        entry.signer = newId;
        emit OrganisationSignerRotated(organisation, newSigner);
    }

    /// @inheritdoc ICredentialRegistry
    function issue(
        bytes32 organisation,
        Acceptance[] calldata acceptances,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external whenNotPaused {
        _requireInTime(deadline);
        _requireAccredited(organisation);
        if (acceptances.length == 0) revert CredentialsMissing();
        bytes32[] memory hashes = new bytes32[](acceptances.length);
        for (uint256 i = 0; i < acceptances.length; ++i) hashes[i] = _hashCredential(organisation, acceptances[i]);
        bytes32 listHash = keccak256(abi.encodePacked(hashes));
        _requireSignedBy(
            _organisations[organisation].signer,
            signer,
            keccak256(abi.encode(CREDENTIAL_BATCH_TYPEHASH, listHash, deadline)),
            signature
        );

        for (uint256 i = 0; i < acceptances.length; ++i) _issue(organisation, acceptances[i], hashes[i]);
    }

    /// @inheritdoc ICredentialRegistry
    function revoke(
        bytes32 organisation,
        address holder,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        Organisation storage entry = _known(organisation);
        bytes32 credential = _idOf(organisation, holder, salt);
        if (holder == address(0)) revert CredentialUnknown(credential);
        if (_credentials[credential].terms.isRevoked()) revert CredentialIsRevoked(credential);
        address by = Signers.id(signer) == holder ? holder : entry.signer;
        _requireSignedBy(
            by,
            signer,
            keccak256(abi.encode(CREDENTIAL_REVOCATION_TYPEHASH, credential, deadline)),
            signature
        );

        _credentials[credential].terms = CredentialTermsLib.revokedOf(holder);
        emit CredentialRevoked(organisation, credential, by);
    }

    /// @inheritdoc ICredentialRegistry
    function isAccredited(bytes32 organisation) public view returns (bool) {
        return _organisations[organisation].standing == Standing.Accredited;
    }

    /// @inheritdoc ICredentialRegistry
    function standingOf(bytes32 organisation) external view returns (Standing) {
        return _organisations[organisation].standing;
    }

    /// @inheritdoc ICredentialRegistry
    function signerOf(bytes32 organisation) external view returns (address id) {
        return _known(organisation).signer;
    }

    /// @inheritdoc ICredentialRegistry
    function nonceOf(bytes32 organisation) external view returns (uint256) {
        return _known(organisation).nonce;
    }

    /// @inheritdoc ICredentialRegistry
    function credentialOf(bytes32 credential) external view returns (bytes32 organisation, CredentialTerms terms) {
        terms = _credentials[credential].terms;
        if (terms.isUnissued()) revert CredentialUnknown(credential);
        return (_credentials[credential].organisation, terms);
    }

    /// @inheritdoc ICredentialRegistry
    function isValid(bytes32 credential, address holder, uint256 time) external view returns (bool) {
        return _credentials[credential].terms.holder() == holder && _isValidAt(credential, time);
    }

    /// @inheritdoc ICredentialRegistry
    function requireValid(bytes32 credential) external view returns (bytes32 organisation, CredentialTerms terms) {
        if (!_isValidAt(credential, block.timestamp)) revert CredentialNotValid(credential);
        return (_credentials[credential].organisation, _credentials[credential].terms);
    }

    function _issue(bytes32 organisation, Acceptance calldata acceptance, bytes32 structHash) private {
        _requireInTime(acceptance.deadline);
        CredentialTerms terms = acceptance.terms;
        _requireUsable(terms);
        bytes32 credential = _idOf(organisation, terms.holder(), acceptance.salt);
        CredentialTerms present = _credentials[credential].terms;
        if (present.isRevoked()) revert CredentialIsRevoked(credential);
        if (!present.isUnissued()) revert CredentialAlreadyIssued(credential);
        _requireSignedBy(terms.holder(), acceptance.holder, structHash, acceptance.signature);

        _credentials[credential] = Credential({terms: terms, organisation: organisation});
        emit CredentialIssued(organisation, credential, terms, acceptance.holder);
    }

    function _isValidAt(bytes32 credential, uint256 time) private view returns (bool) {
        Credential storage entry = _credentials[credential];
        return entry.terms.isInTime(time) && isAccredited(entry.organisation);
    }

    /// @dev That there is a holder follows from its signature: no signer has the id 0.
    function _requireUsable(CredentialTerms terms) private view {
        if (terms.role() == 0) revert CredentialRoleMissing();
        (uint32 notBefore, uint32 expiresAt) = (terms.notBefore(), terms.expiresAt());
        bool isEmpty = notBefore >= expiresAt || block.timestamp >= expiresAt;
        if (isEmpty || expiresAt > block.timestamp + MAX_AHEAD) revert CredentialWindowInvalid(notBefore, expiresAt);
    }

    function _requireAccredited(bytes32 organisation) private view {
        if (!isAccredited(organisation)) revert OrganisationNotAccredited(organisation);
    }

    function _known(bytes32 organisation) private view returns (Organisation storage entry) {
        entry = _organisations[organisation];
        if (entry.standing == Standing.Unknown) revert OrganisationUnknown(organisation);
    }

    function _hashCredential(bytes32 organisation, Acceptance calldata acceptance) private pure returns (bytes32) {
        CredentialTerms terms = acceptance.terms;
        return
            keccak256(
                abi.encode(
                    CREDENTIAL_TYPEHASH,
                    organisation,
                    terms.holder(),
                    terms.role(),
                    terms.specialty(),
                    terms.notBefore(),
                    terms.expiresAt(),
                    acceptance.salt,
                    acceptance.deadline
                )
            );
    }

    function _idOf(bytes32 organisation, address holder, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(organisation, holder, salt));
    }
}
