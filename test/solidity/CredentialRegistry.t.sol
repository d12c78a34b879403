// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialRegistry} from "../../contracts/interfaces/ICredentialRegistry.sol";
import {CredentialTerms} from "../../contracts/libraries/CredentialTerms.sol";
import {CareActor} from "./CareActor.sol";
import {Test} from "./Vm.sol";

/// @title Issues, revokes, suspends, excludes and pauses in any order, and remembers what must stay so
contract CredentialActor is CareActor {
    uint256 public constant ORGANISATIONS = 7;
    uint256 private constant HOLDERS = 3;
    uint256 private constant SALTS = 3;

    struct Known {
        bytes32 organisation;
        address holder;
        CredentialTerms terms;
        bool isRevoked;
    }

    bytes32[] public organisations;
    bytes32[] public credentials;
    mapping(bytes32 organisation => ICredentialRegistry.Standing) public standings;
    mapping(bytes32 credential => Known) public known;
    /// @notice What happened that never should.
    string public violation;

    constructor() {
        for (uint256 i = 0; i < ORGANISATIONS; ++i) {
            organisations.push(_accredit(_organisationKey(i)));
            standings[organisations[i]] = ICredentialRegistry.Standing.Accredited;
        }
    }

    function count() external view returns (uint256) {
        return credentials.length;
    }

    function issue(uint256 seed, uint16 role, uint32 begin, uint32 length, uint256 signerSeed) external {
        (uint256 index, uint256 holderKey, bytes32 salt) = _pick(seed);
        bytes32 organisation = organisations[index];
        bytes32 credential = credentialOf(organisation, holderKey, salt);
        uint32 notBefore = uint32(block.timestamp + (begin % 10 days));
        uint32 expiresAt = notBefore + (length % 20 days);
        // One time in four it is not the organisation who signs.
        uint256 by = signerSeed % 4 == 0 ? _organisationKey((index + 1) % ORGANISATIONS) : _organisationKey(index);
        _issue(organisation, by, holderKey, role % 5, notBefore, expiresAt, salt);

        if (by != _organisationKey(index)) violation = "issued by another";
        if (standings[organisation] != ICredentialRegistry.Standing.Accredited) violation = "issued while suspended";
        if (CREDENTIALS.paused()) violation = "issued while paused";
        if (known[credential].isRevoked) violation = "issued after it was revoked";
        if (known[credential].organisation != 0) violation = "issued twice";
        (, CredentialTerms terms) = CREDENTIALS.credentialOf(credential);
        if (terms.role() == 0 || terms.expiresAt() <= block.timestamp) violation = "issued without use";
        known[credential] = Known(organisation, VM.addr(holderKey), terms, false);
        credentials.push(credential);
    }

    function revoke(uint256 seed, uint256 signerSeed) external {
        (uint256 index, uint256 holderKey, bytes32 salt) = _pick(seed);
        bytes32 credential = credentialOf(organisations[index], holderKey, salt);
        uint256[4] memory keys = [_organisationKey(index), _organisationKey(1), _holderKey(0), holderKey];
        uint256 by = keys[signerSeed % 4];
        _revoke(organisations[index], holderKey, salt, by);

        if (by != holderKey && by != _organisationKey(index)) violation = "revoked by another";
        if (known[credential].isRevoked) violation = "revoked twice";
        known[credential].isRevoked = true;
    }

    function suspend(uint256 seed) external {
        bytes32 organisation = organisations[seed % ORGANISATIONS];
        uint256 suspended = count(ICredentialRegistry.Standing.Suspended);
        uint256 accredited = count(ICredentialRegistry.Standing.Accredited);
        bool isRoom = suspended == 0 || 3 * (suspended + 1) <= suspended + accredited;
        bool isAccredited = standings[organisation] == ICredentialRegistry.Standing.Accredited;
        try CREDENTIALS.suspend(organisation) {
            if (!isRoom) violation = "too many suspended";
            standings[organisation] = ICredentialRegistry.Standing.Suspended;
        } catch {
            if (isRoom && isAccredited) violation = "not suspended";
        }
    }

    function exclude(uint256 seed) external {
        bytes32 organisation = organisations[seed % ORGANISATIONS];
        CREDENTIALS.exclude(organisation);
        if (standings[organisation] == ICredentialRegistry.Standing.Excluded) violation = "excluded twice";
        standings[organisation] = ICredentialRegistry.Standing.Excluded;
    }

    function reinstate(uint256 seed) external {
        bytes32 organisation = organisations[seed % ORGANISATIONS];
        CREDENTIALS.reinstate(organisation);
        if (CREDENTIALS.paused()) violation = "reinstated while paused";
        if (standings[organisation] == ICredentialRegistry.Standing.Accredited) violation = "reinstated twice";
        standings[organisation] = ICredentialRegistry.Standing.Accredited;
    }

    function pauseOrGoOn() external {
        if (CREDENTIALS.paused()) CREDENTIALS.unpause();
        else CREDENTIALS.pause();
    }

    function wait(uint32 time) external {
        VM.warp(block.timestamp + (time % 5 days));
    }

    function count(ICredentialRegistry.Standing standing) public view returns (uint256 found) {
        for (uint256 i = 0; i < ORGANISATIONS; ++i) if (standings[organisations[i]] == standing) ++found;
    }

    function _pick(uint256 seed) private pure returns (uint256 organisation, uint256 holderKey, bytes32 salt) {
        organisation = seed % ORGANISATIONS;
        holderKey = _holderKey((seed >> 8) % HOLDERS);
        salt = bytes32((seed >> 16) % SALTS);
    }

    function _organisationKey(uint256 index) private pure returns (uint256) {
        return 0x0c0 + index;
    }

    function _holderKey(uint256 index) private pure returns (uint256) {
        return 0xade + index;
    }
}

contract CredentialRegistryInvariants is Test {
    CredentialActor private _actor;

    function setUp() public {
        VM.warp(1_800_000_000);
        _actor = new CredentialActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_nothingHappensThatNeverShould() public view {
        _require(bytes(_actor.violation()).length == 0, _actor.violation());
    }

    function invariant_whatIsKeptIsWhatWasSaid() public view {
        for (uint256 i = 0; i < _actor.ORGANISATIONS(); ++i) {
            bytes32 organisation = _actor.organisations(i);
            _require(_actor.CREDENTIALS().standingOf(organisation) == _actor.standings(organisation), "standing");
        }
        for (uint256 i = 0; i < _actor.count(); ++i) _check(_actor.credentials(i));
    }

    function _check(bytes32 credential) private view {
        (bytes32 organisation, address holder, CredentialTerms terms, bool isRevoked) = _actor.known(credential);
        (bytes32 kept, CredentialTerms present) = _actor.CREDENTIALS().credentialOf(credential);
        _require(kept == organisation && present.holder() == holder, "kept");
        _require(present.isRevoked() == isRevoked, "revoked");

        bool isGood = !isRevoked && _actor.standings(organisation) == ICredentialRegistry.Standing.Accredited;
        uint256[4] memory times = [
            block.timestamp,
            terms.notBefore(),
            uint256(terms.expiresAt()) - 1,
            terms.expiresAt()
        ];
        for (uint256 i = 0; i < times.length; ++i) {
            bool expected = isGood && times[i] >= terms.notBefore() && times[i] < terms.expiresAt();
            _require(_actor.CREDENTIALS().isValid(credential, holder, times[i]) == expected, "valid");
            _require(!_actor.CREDENTIALS().isValid(credential, address(1), times[i]), "another holder");
        }
    }
}
