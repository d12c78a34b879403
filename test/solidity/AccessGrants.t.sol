// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessGrants} from "../../contracts/AccessGrants.sol";
import {IPatientRegistry} from "../../contracts/interfaces/IPatientRegistry.sol";
import {GrantTerms} from "../../contracts/libraries/GrantTerms.sol";
import {PatientRegistry} from "../../contracts/PatientRegistry.sol";
import {Test} from "./Vm.sol";

/// @title Opens, claims, revokes and replays grants in any order, and remembers what must never come back
contract GrantActor is Test {
    uint256 private constant PATIENT_KEY = 0xa11ce;
    uint256 private constant DOCTOR_KEY = 0xd0c;
    uint256 private constant SALTS = 4;
    uint40 private constant END = type(uint40).max;

    struct Signed {
        GrantTerms terms;
        uint256 deadline;
        bytes signature;
    }

    AccessGrants public immutable GRANTS;
    bytes32 public immutable PATIENT;

    mapping(bytes32 grantId => bool) public isRevoked;
    mapping(bytes32 grantId => uint256) public claims;
    mapping(bytes32 grantId => uint256) public usesGranted;
    mapping(bytes32 salt => Signed) private _signed;

    constructor() {
        PatientRegistry registry = new PatientRegistry();
        GRANTS = new AccessGrants(registry);
        bytes memory signer = abi.encodePacked(VM.addr(PATIENT_KEY));
        bytes32 patient = keccak256(abi.encode(keccak256(signer), bytes32(0)));
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)"),
                patient,
                keccak256(signer),
                bytes32(uint256(1)),
                deadline
            )
        );
        bytes memory signature = _signTyped(PATIENT_KEY, "Salus PatientRegistry", address(registry), structHash);
        registry.register(signer, bytes32(uint256(1)), bytes32(0), deadline, signature);
        PATIENT = patient;
    }

    /// @notice Signs and opens a grant; replays the old signature where one exists.
    function grant(uint256 saltSeed, uint8 uses) external {
        bytes32 salt = _saltOf(saltSeed);
        if (_signed[salt].signature.length == 0) _sign(salt, uint8(_bound(uses, 1, 5)));
        Signed storage signed = _signed[salt];
        GRANTS.grant(PATIENT, signed.terms, bytes32(uint256(1)), salt, signed.deadline, signed.signature);
        usesGranted[_idOf(salt)] = signed.terms.uses();
    }

    /// @notice Claims one use.
    function claim(uint256 saltSeed) external {
        bytes32 grantId = _idOf(_saltOf(saltSeed));
        uint8 uses = GRANTS.termsOf(grantId).uses();
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Claim(bytes32 grantId,uint8 usesLeft,uint256 deadline)"),
                grantId,
                uses == 0 ? 0 : uses - 1,
                deadline
            )
        );
        bytes memory signature = _signTyped(DOCTOR_KEY, "Salus AccessGrants", address(GRANTS), structHash);
        GRANTS.claim(grantId, abi.encodePacked(VM.addr(DOCTOR_KEY)), deadline, signature);
        claims[grantId]++;
    }

    /// @notice Revokes a grant, opened or not.
    function revoke(uint256 saltSeed) external {
        bytes32 salt = _saltOf(saltSeed);
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(keccak256("Revocation(bytes32 patient,bytes32 salt,uint256 deadline)"), PATIENT, salt, deadline)
        );
        bytes memory signature = _signTyped(PATIENT_KEY, "Salus AccessGrants", address(GRANTS), structHash);
        GRANTS.revoke(PATIENT, salt, deadline, signature);
        isRevoked[_idOf(salt)] = true;
    }

    /// @notice The ids of all grants this actor deals with.
    function grantIds() external view returns (bytes32[] memory ids) {
        ids = new bytes32[](SALTS);
        for (uint256 i = 0; i < SALTS; ++i) ids[i] = _idOf(_saltOf(i));
    }

    function _sign(bytes32 salt, uint8 uses) private {
        address doctor = VM.addr(DOCTOR_KEY);
        uint256 deadline = block.timestamp + 1 days;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,bytes32 salt,uint32 epoch,uint256 deadline)"
                ),
                PATIENT,
                doctor,
                uint40(0),
                END,
                uint8(1),
                uses,
                bytes32(uint256(1)),
                salt,
                uint32(0),
                deadline
            )
        );
        _signed[salt] = Signed({
            terms: GrantTerms.wrap(uint256(bytes32(abi.encodePacked(uses, uint8(1), END, uint40(0), doctor)))),
            deadline: deadline,
            signature: _signTyped(PATIENT_KEY, "Salus AccessGrants", address(GRANTS), structHash)
        });
    }

    function _idOf(bytes32 salt) private view returns (bytes32) {
        return keccak256(abi.encode(PATIENT, salt));
    }

    function _saltOf(uint256 seed) private pure returns (bytes32) {
        return bytes32(seed % SALTS);
    }
}

contract AccessGrantsInvariants is Test {
    GrantActor private _actor;

    function setUp() public {
        _actor = new GrantActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_revokedIsNeverLiveAgain() public view {
        bytes32[] memory ids = _actor.grantIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            if (!_actor.isRevoked(ids[i])) continue;
            _require(_actor.GRANTS().termsOf(ids[i]).isRevoked(), "tombstone");
            _require(!_actor.GRANTS().isLive(ids[i], block.timestamp), "live");
        }
    }

    function invariant_noGrantIsClaimedMoreOftenThanGranted() public view {
        bytes32[] memory ids = _actor.grantIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            _require(_actor.claims(ids[i]) <= _actor.usesGranted(ids[i]), "claims");
        }
    }
}
