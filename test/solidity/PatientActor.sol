// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessGrants} from "../../contracts/AccessGrants.sol";
import {Test} from "./Vm.sol";

/// @title A patient on a contract of its own, which it may pause
abstract contract PatientActor is Test {
    uint256 internal constant PATIENT_KEY = 0xa11ce;

    AccessGrants public immutable GRANTS;
    bytes32 public immutable PATIENT;

    /// @dev Whose key signs for the patient.
    uint256 internal _key = PATIENT_KEY;

    constructor() {
        GRANTS = new AccessGrants(address(this));
        PATIENT = _register(PATIENT_KEY);
    }

    /// @notice As the authority of the contract: this actor may do everything that governance may.
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    /// @notice Stops what is new, or lets it go on.
    function togglePause() external {
        if (GRANTS.paused()) GRANTS.unpause();
        else GRANTS.pause();
    }

    function _register(uint256 key) private returns (bytes32) {
        bytes memory signer = _signerOf(key);
        bytes32 patient = keccak256(abi.encode(keccak256(signer), bytes32(0)));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Registration(bytes32 patient,bytes signer,bytes32 keyBundle,uint256 deadline)"),
                patient,
                keccak256(signer),
                bytes32(uint256(1)),
                _soon()
            )
        );
        return GRANTS.register(signer, bytes32(uint256(1)), bytes32(0), _soon(), _sign(key, structHash));
    }

    function _signerOf(uint256 key) internal pure returns (bytes memory) {
        return abi.encodePacked(VM.addr(key));
    }

    function _sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        return _signTyped(key, "Salus AccessGrants", address(GRANTS), structHash);
    }

    function _soon() internal view returns (uint256) {
        return block.timestamp + 1 days;
    }
}
