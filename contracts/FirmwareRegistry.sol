// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {FirmwareFleets} from "./FirmwareFleets.sol";
import {IFirmwareRegistry} from "./interfaces/IFirmwareRegistry.sol";
import {Signers} from "./libraries/Signers.sol";

/**
 * @title Manufacturers, their models, the releases devices may install, and what is said about them
 * @dev The parts, from the bottom: keys ({FirmwareMakers}), what is kept ({FirmwareModels}), publishing
 * ({FirmwareReleases}), ending ({FirmwareSunsets}), stopping ({FirmwareBrakes}), what devices say ({FirmwareFleets}), and
 * what others say, here.
 */
contract FirmwareRegistry is IFirmwareRegistry, FirmwareFleets {
    bytes32 private constant ADVISORY_TYPEHASH = keccak256(
        "Advisory(bytes32 model,uint32 fromSequence,uint32 toSequence,bytes32 vulnerability,uint8 impact,bytes32 documentDigest,uint256 deadline)"
    );
    bytes32 private constant REBUILD_TYPEHASH = keccak256(
        "Rebuild(bytes32 model,uint32 sequence,bytes32 imageSha256,uint256 deadline)"
    );

    /// @dev What was said, so that nobody can say it again in the name of who signed it.
    mapping(bytes32 statement => bool) private _isSaid;

    constructor(address authority) EIP712("Salus FirmwareRegistry", "1") AccessManaged(authority) {}

    /// @inheritdoc IFirmwareRegistry
    function addAdvisory(AdvisoryTerms calldata terms, Quorum calldata by) external {
        _requireInTime(terms.deadline);
        uint32 latest = _knownHead(terms.model).latest();
        if (terms.fromSequence == 0 || terms.fromSequence > terms.toSequence || terms.toSequence > latest)
            revert AdvisoryRangeInvalid(terms.fromSequence, terms.toSequence);
        bytes32 structHash = keccak256(abi.encode(ADVISORY_TYPEHASH, terms));
        bytes32 keyset = _keysetOf(_manufacturers[terms.model], Role.Release);
        if (_digestOf(by) == keyset) _requireQuorum(keyset, by, structHash);
        else _requireStoppers(terms.model, by, structHash);

        _say(structHash);
        emit AdvisoryAdded(terms.model, terms.vulnerability, terms);
    }

    /// @inheritdoc IFirmwareRegistry
    function addRebuild(
        bytes32 model,
        uint32 sequence,
        bytes32 imageSha256,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        _knownRelease(model, sequence);
        _requireWellFormed(signer);
        _requireSigned(
            signer,
            keccak256(abi.encode(REBUILD_TYPEHASH, model, sequence, imageSha256, deadline)),
            signature
        );

        _say(keccak256(abi.encode(REBUILD_TYPEHASH, model, sequence, Signers.id(signer))));
        emit RebuildAdded(model, sequence, signer, imageSha256);
    }

    function _say(bytes32 statement) private {
        if (_isSaid[statement]) revert StatementKnown(statement);
        _isSaid[statement] = true;
    }
}
