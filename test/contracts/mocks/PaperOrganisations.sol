// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOrganisations} from "../../../contracts/interfaces/IOrganisations.sol";

/// @title Organisations that are whatever a test says
contract PaperOrganisations is IOrganisations {
    error OrganisationUnknown(bytes32 organisation);

    mapping(bytes32 organisation => address) private _signers;
    mapping(bytes32 organisation => bool) private _accredited;

    function set(bytes32 organisation, address signer, bool accredited) external {
        _signers[organisation] = signer;
        _accredited[organisation] = accredited;
    }

    /// @inheritdoc IOrganisations
    function isAccredited(bytes32 organisation) external view returns (bool) {
        return _accredited[organisation];
    }

    /// @inheritdoc IOrganisations
    function signerOf(bytes32 organisation) external view returns (address) {
        if (_signers[organisation] == address(0)) revert OrganisationUnknown(organisation);
        return _signers[organisation];
    }
}
