// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialTerms} from "../libraries/CredentialTerms.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title Organisations that governance accredits, and the credentials they issue to their staff
 * @notice A credential says that an organisation vouches for somebody in a role, for a time. The holder signs it too, so
 * nobody is tied to an organisation unasked. Organisation and holder can each revoke it, for ever. While an organisation
 * is suspended or excluded none of its credentials is valid. Governance accredits, suspends and excludes organisations; it
 * cannot issue a credential in the name of one.
 */
interface ICredentialRegistry is ISignedRequests {
    /// @notice Where an organisation stands.
    enum Standing {
        Unknown,
        Accredited,
        Suspended,
        Excluded
    }

    /// @notice One credential to issue, as its holder agreed to it. The holder signs
    /// `Credential(bytes32 organisation,address holder,uint16 role,uint16 specialty,uint32 notBefore,uint32 expiresAt,bytes32 salt,uint256 deadline)`.
    /// @param terms holder, role, specialty and time, packed
    /// @param salt random
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param holder the holder's signer, in the form of ERC-7913
    /// @param signature of the holder
    struct Acceptance {
        CredentialTerms terms;
        bytes32 salt;
        uint256 deadline;
        bytes holder;
        bytes signature;
    }

    /// @notice Governance accredited an organisation.
    /// @param organisation its id
    /// @param signer who signs for it, in the form of ERC-7913
    /// @param profile keccak-256 of what was checked about it
    event OrganisationAccredited(bytes32 indexed organisation, bytes signer, bytes32 profile);

    /// @notice Governance suspended an organisation: its credentials are not valid while this lasts.
    /// @param organisation its id
    event OrganisationSuspended(bytes32 indexed organisation);

    /// @notice Governance excluded an organisation: its credentials are not valid while this lasts.
    /// @param organisation its id
    event OrganisationExcluded(bytes32 indexed organisation);

    /// @notice Governance reinstated an organisation.
    /// @param organisation its id
    event OrganisationReinstated(bytes32 indexed organisation);

    /// @notice An organisation changed who signs for it.
    /// @param organisation its id
    /// @param newSigner who signs from now on, in the form of ERC-7913
    event OrganisationSignerRotated(bytes32 indexed organisation, bytes newSigner);

    /// @notice An organisation issued a credential.
    /// @param organisation its id
    /// @param credential the credential's id, `keccak256(abi.encode(organisation, holder, salt))`
    /// @param terms holder, role, specialty and time, packed
    /// @param holder the holder's signer, in the form of ERC-7913
    event CredentialIssued(
        bytes32 indexed organisation,
        bytes32 indexed credential,
        CredentialTerms terms,
        bytes holder
    );

    /// @notice A credential was revoked, or made sure that it can never be issued.
    /// @param organisation its id
    /// @param credential the credential
    /// @param by id of who revoked: the organisation's signer or the holder
    event CredentialRevoked(bytes32 indexed organisation, bytes32 indexed credential, address by);

    /// @notice This signer and salt are accredited already; take another salt.
    /// @param organisation the id
    error OrganisationAlreadyAccredited(bytes32 organisation);

    /// @notice A profile's digest is never zero.
    error OrganisationProfileMissing();

    /// @notice No such organisation on this chain.
    /// @param organisation the id
    error OrganisationUnknown(bytes32 organisation);

    /// @notice The organisation is not accredited, or is suspended or excluded.
    /// @param organisation the id
    error OrganisationNotAccredited(bytes32 organisation);

    /// @notice The organisation is neither suspended nor excluded.
    /// @param organisation the id
    error OrganisationNotSuspended(bytes32 organisation);

    /// @notice A third of the organisations is suspended: exclude some of them, or reinstate some, first.
    /// @param suspended how many are
    error SuspensionsExhausted(uint256 suspended);

    /// @notice The organisation had this signer before. Otherwise what it signed then would count again.
    /// @param organisation the id
    /// @param signer id of the signer
    error OrganisationSignerReplaced(bytes32 organisation, address signer);

    /// @notice There is no credential to issue.
    error CredentialsMissing();

    /// @notice The credential was issued before; a relayer may take this for success if the terms are equal.
    /// @param credential the credential
    error CredentialAlreadyIssued(bytes32 credential);

    /// @notice The credential is revoked, and stays so.
    /// @param credential the credential
    error CredentialIsRevoked(bytes32 credential);

    /// @notice A role is never zero.
    error CredentialRoleMissing();

    /// @notice The credential would never be valid, has ended, or would end more than five years ahead.
    /// @param notBefore start, in seconds since 1970
    /// @param expiresAt end, in seconds since 1970
    error CredentialWindowInvalid(uint32 notBefore, uint32 expiresAt);

    /// @notice No such credential on this chain.
    /// @param credential the credential
    error CredentialUnknown(bytes32 credential);

    /// @notice The credential is not valid now: it has not begun, has ended, is revoked, or its organisation is suspended.
    /// @param credential the credential
    error CredentialNotValid(bytes32 credential);

    /// @notice Accredits an organisation. For governance alone, not while paused.
    /// @param signer who signs for it, in the form of ERC-7913
    /// @param profile keccak-256 of what was checked about it
    /// @param salt random
    /// @return organisation the id, `keccak256(abi.encode(keccak256(signer), salt))`
    function accredit(bytes calldata signer, bytes32 profile, bytes32 salt) external returns (bytes32 organisation);

    /// @notice Suspends an organisation, at once; a third of all that are not excluded at the most, or one. For governance
    /// alone, also while paused.
    /// @param organisation the id
    function suspend(bytes32 organisation) external;

    /// @notice Excludes an organisation, suspended or not, after governance's delay. It no longer counts among those a third
    /// of which may be suspended. For governance alone, also while paused.
    /// @param organisation the id
    function exclude(bytes32 organisation) external;

    /// @notice Ends a suspension or an exclusion. For governance alone, not while paused.
    /// @param organisation the id
    function reinstate(bytes32 organisation) external;

    /// @notice Hands an organisation to a signer that it never had, also while it is suspended. Signed by both:
    /// `OrganisationRotation(bytes32 organisation,bytes newSigner,uint256 nonce,uint256 deadline)`.
    /// @param organisation the id
    /// @param newSigner who signs from now on, in the form of ERC-7913
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer who signs for it now
    /// @param signature of the present signer
    /// @param newSignature of the new signer
    function rotateSigner(
        bytes32 organisation,
        bytes calldata newSigner,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature,
        bytes calldata newSignature
    ) external;

    /// @notice Issues credentials, all or none; not while paused. The organisation signs
    /// `CredentialBatch(Credential[] credentials,uint256 deadline)Credential(bytes32 organisation,address holder,uint16 role,uint16 specialty,uint32 notBefore,uint32 expiresAt,bytes32 salt,uint256 deadline)`,
    /// each holder the `Credential` that concerns it.
    /// @param organisation the id
    /// @param acceptances the credentials, each with its holder's signature
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer who signs for the organisation
    /// @param signature of the organisation
    function issue(
        bytes32 organisation,
        Acceptance[] calldata acceptances,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Revokes a credential for ever, also one not yet issued, and also while paused. Signed by the organisation or
    /// the holder: `CredentialRevocation(bytes32 credential,uint256 deadline)`.
    /// @param organisation the id
    /// @param holder id of the holder
    /// @param salt of the credential
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer who revokes, in the form of ERC-7913
    /// @param signature of who revokes
    function revoke(
        bytes32 organisation,
        address holder,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Whether an organisation is accredited, and neither suspended nor excluded.
    /// @param organisation the id
    /// @return whether it is
    function isAccredited(bytes32 organisation) external view returns (bool);

    /// @notice Where an organisation stands.
    /// @param organisation the id
    /// @return where it stands
    function standingOf(bytes32 organisation) external view returns (Standing);

    /// @notice Who signs for an organisation.
    /// @param organisation the id
    /// @return id of its signer: its address, or the last 20 bytes of the keccak-256 of a longer signer
    function signerOf(bytes32 organisation) external view returns (address id);

    /// @notice The number that the organisation's next rotation signs.
    /// @param organisation the id
    /// @return the number
    function nonceOf(bytes32 organisation) external view returns (uint256);

    /// @notice What is kept of a credential. Its holder and organisation stay when it is revoked.
    /// @param credential the credential
    /// @return organisation who issued it; 0 if it was revoked before it was issued
    /// @return terms holder, role, specialty and time, packed
    function credentialOf(bytes32 credential) external view returns (bytes32 organisation, CredentialTerms terms);

    /// @notice Whether a credential is valid at a time, and this holder's. Of revocation and suspension it knows the
    /// present alone: asked about the past it answers as if they had always been.
    /// @param credential the credential
    /// @param holder id of who shows it
    /// @param time in seconds since 1970
    /// @return whether it is
    function isValid(bytes32 credential, address holder, uint256 time) external view returns (bool);

    /// @notice Reverts with {CredentialNotValid} unless the credential is valid now; for other contracts.
    /// @param credential the credential
    /// @return organisation who issued it
    /// @return terms holder, role, specialty and time, packed
    function requireValid(bytes32 credential) external view returns (bytes32 organisation, CredentialTerms terms);
}
