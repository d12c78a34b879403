// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {AccessGrants} from "../../contracts/AccessGrants.sol";
import {ConsentRegistry} from "../../contracts/ConsentRegistry.sol";
import {IConsentRegistry} from "../../contracts/interfaces/IConsentRegistry.sol";
import {Test} from "./Vm.sol";

/// @title Gives, replaces and withdraws consents in any order, sometimes with a stranger's key
contract ConsentActor is Test {
    uint256 private constant PATIENT_KEY = 0x9a71e47;
    uint256 private constant STRANGER_KEY = 0x57a46e4;
    uint256 private constant NUMBER = 4;

    ConsentRegistry public immutable CONSENTS;
    bytes32 public immutable PATIENT;

    mapping(bytes32 consentId => uint32) public revisions;
    mapping(bytes32 consentId => bytes32) public policies;
    mapping(bytes32 consentId => uint256) public withdrawnAt;
    /// @dev What must stay 0: anything done by a stranger, out of order, or after a withdrawal.
    uint256 public wrongs;

    constructor() {
        AccessManager manager = new AccessManager(address(this));
        AccessGrants patients = new AccessGrants(address(manager));
        CONSENTS = new ConsentRegistry(address(manager), patients);
        bytes memory signer = abi.encodePacked(VM.addr(PATIENT_KEY));
        PATIENT = keccak256(abi.encode(keccak256(signer), bytes32(0)));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)"),
                PATIENT,
                keccak256(signer),
                bytes32("bundle"),
                _deadline()
            )
        );
        bytes memory signature = _signTyped(PATIENT_KEY, "Salus AccessGrants", address(patients), structHash);
        patients.register(signer, "bundle", 0, _deadline(), signature);
    }

    function give(uint8 which, bytes32 policy, uint8 step, bool isStranger) external {
        bytes32 consentId = id(which);
        uint32 revision = revisions[consentId] + (step % 4);
        bytes32 typeHash = keccak256(
            "Consent(bytes32 patient,bytes32 consentId,bytes32 policy,uint32 revision,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, PATIENT, consentId, policy, revision, _deadline()));
        bytes memory signature = _sign(isStranger, structHash);
        CONSENTS.give(PATIENT, consentId, policy, revision, _deadline(), _signer(isStranger), signature);
        if (isStranger || revision != revisions[consentId] + 1 || withdrawnAt[consentId] != 0) ++wrongs;
        (revisions[consentId], policies[consentId]) = (revision, policy);
    }

    function withdraw(uint8 which, uint8 rarely, bool isStranger) external {
        if (rarely > 64) return;
        bytes32 consentId = id(which);
        bytes32 typeHash = keccak256("ConsentWithdrawal(bytes32 patient,bytes32 consentId,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, PATIENT, consentId, _deadline()));
        bytes memory signature = _sign(isStranger, structHash);
        CONSENTS.withdraw(PATIENT, consentId, _deadline(), _signer(isStranger), signature);
        if (isStranger || withdrawnAt[consentId] != 0) ++wrongs;
        withdrawnAt[consentId] = block.number;
    }

    function pause(bool isPaused) external {
        if (isPaused) CONSENTS.pause();
        else CONSENTS.unpause();
    }

    function id(uint256 which) public pure returns (bytes32) {
        return bytes32(1 + (which % NUMBER));
    }

    function _sign(bool isStranger, bytes32 structHash) private view returns (bytes memory) {
        uint256 key = isStranger ? STRANGER_KEY : PATIENT_KEY;
        return _signTyped(key, "Salus ConsentRegistry", address(CONSENTS), structHash);
    }

    function _signer(bool isStranger) private pure returns (bytes memory) {
        return abi.encodePacked(VM.addr(isStranger ? STRANGER_KEY : PATIENT_KEY));
    }

    function _deadline() private view returns (uint256) {
        return block.timestamp + 1 days;
    }
}

contract ConsentRegistryInvariants is Test {
    ConsentActor private _actor;

    function setUp() public {
        _actor = new ConsentActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_onlyThePatientAndWithdrawnForEver() public view {
        _equal(_actor.wrongs(), 0, "wrongs");
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 consentId = _actor.id(i);
            ConsentRegistry consents = _actor.CONSENTS();
            IConsentRegistry.Consent memory consent = consents.consentOf(_actor.PATIENT(), consentId);
            _equal(consent.revision, _actor.revisions(consentId), "revision");
            _require(consent.policy == _actor.policies(consentId), "policy");
            uint256 withdrawnAt = _actor.withdrawnAt(consentId);
            _require(consent.isWithdrawn == (withdrawnAt != 0), "withdrawn");
            if (withdrawnAt != 0)
                _require(!consents.countsAt(_actor.PATIENT(), consentId, uint64(withdrawnAt + 1)), "counts later");
        }
    }
}
