// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {CredentialRegistry} from "../../contracts/CredentialRegistry.sol";
import {ICredentialRegistry} from "../../contracts/interfaces/ICredentialRegistry.sol";
import {CredentialTerms} from "../../contracts/libraries/CredentialTerms.sol";
import {Test} from "./Vm.sol";

/// @title Governs a registry of credentials, and signs for organisations and holders
abstract contract CareActor is Test {
    bytes32 private constant CREDENTIAL_TYPEHASH = keccak256(
        "Credential(bytes32 organisation,address holder,uint16 role,uint16 specialty,uint32 notBefore,uint32 expiresAt,bytes32 salt,uint256 deadline)"
    );
    bytes32 private constant BATCH_TYPEHASH = keccak256(
        "CredentialBatch(Credential[] credentials,uint256 deadline)Credential(bytes32 organisation,address holder,uint16 role,uint16 specialty,uint32 notBefore,uint32 expiresAt,bytes32 salt,uint256 deadline)"
    );
    bytes32 private constant REVOCATION_TYPEHASH = keccak256(
        "CredentialRevocation(bytes32 credential,uint256 deadline)"
    );
    string private constant NAME = "Salus CredentialRegistry";

    AccessManager public immutable MANAGER;
    CredentialRegistry public immutable CREDENTIALS;

    constructor() {
        MANAGER = new AccessManager(address(this));
        CREDENTIALS = new CredentialRegistry(address(MANAGER));
    }

    function credentialOf(bytes32 organisation, uint256 holderKey, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(organisation, VM.addr(holderKey), salt));
    }

    function _accredit(uint256 key) internal returns (bytes32 organisation) {
        return CREDENTIALS.accredit(abi.encodePacked(VM.addr(key)), keccak256("profile"), bytes32(0));
    }

    /// @dev Both sign whatever the fields say.
    function _issue(
        bytes32 organisation,
        uint256 organisationKey,
        uint256 holderKey,
        uint16 role,
        uint32 notBefore,
        uint32 expiresAt,
        bytes32 salt
    ) internal {
        address holder = VM.addr(holderKey);
        bytes32 structHash = keccak256(
            abi.encode(
                CREDENTIAL_TYPEHASH,
                organisation,
                holder,
                role,
                uint16(0),
                notBefore,
                expiresAt,
                salt,
                _deadline()
            )
        );
        ICredentialRegistry.Acceptance[] memory acceptances = new ICredentialRegistry.Acceptance[](1);
        acceptances[0] = ICredentialRegistry.Acceptance({
            terms: CredentialTerms.wrap(
                uint256(bytes32(abi.encodePacked(uint16(0), role, expiresAt, notBefore, holder)))
            ),
            salt: salt,
            deadline: _deadline(),
            holder: abi.encodePacked(holder),
            signature: _signTyped(holderKey, NAME, address(CREDENTIALS), structHash)
        });
        bytes32 batch = keccak256(abi.encode(BATCH_TYPEHASH, keccak256(abi.encodePacked(structHash)), _deadline()));
        CREDENTIALS.issue(
            organisation,
            acceptances,
            _deadline(),
            abi.encodePacked(VM.addr(organisationKey)),
            _signTyped(organisationKey, NAME, address(CREDENTIALS), batch)
        );
    }

    function _revoke(bytes32 organisation, uint256 holderKey, bytes32 salt, uint256 byKey) internal {
        bytes32 structHash = keccak256(
            abi.encode(REVOCATION_TYPEHASH, credentialOf(organisation, holderKey, salt), _deadline())
        );
        CREDENTIALS.revoke(
            organisation,
            VM.addr(holderKey),
            salt,
            _deadline(),
            abi.encodePacked(VM.addr(byKey)),
            _signTyped(byKey, NAME, address(CREDENTIALS), structHash)
        );
    }

    function _deadline() internal view returns (uint256) {
        return block.timestamp + 30 minutes;
    }
}
