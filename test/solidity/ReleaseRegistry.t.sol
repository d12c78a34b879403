// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IKeySets} from "../../contracts/interfaces/IKeySets.sol";
import {IReleaseRegistry} from "../../contracts/interfaces/IReleaseRegistry.sol";
import {IResearchAccess} from "../../contracts/interfaces/IResearchAccess.sol";
import {DataUse, Purpose} from "../../contracts/libraries/DataUse.sol";
import {ReleaseRegistry} from "../../contracts/ReleaseRegistry.sol";
import {Test} from "./Vm.sol";

/// @title Governs, publishes, holds, withdraws and grants in any order, and remembers what must never come back
contract ReleaseActor is Test {
    uint256 private constant STEWARDS = 3;
    uint256 private constant SCHEMES = 2;
    uint256 private constant RESEARCHER_KEY = 0x4e5ea;
    string private constant NAME = "Salus ReleaseRegistry";
    uint32 private constant USE = (1 << 1) | (1 << 5) | (1 << 10) | (1 << 22);

    ReleaseRegistry public immutable RELEASES;

    uint48 public published;
    bytes32[] public accesses;
    mapping(uint48 release => bool) public isWithdrawn;
    mapping(bytes32 access => bool) public isRevoked;
    mapping(bytes32 access => bool) public isGiven;
    /// @dev What must stay 0: published without a live scheme or enough stewards, granted for a purpose not allowed.
    uint256 public wrongs;

    constructor() {
        RELEASES = new ReleaseRegistry(address(new AccessManager(address(this))));
        bytes[] memory signers = new bytes[](STEWARDS);
        for (uint256 i = 0; i < STEWARDS; ++i) signers[i] = abi.encodePacked(VM.addr(i + 1));
        RELEASES.setStewards(signers, 2);
        for (uint256 i = 0; i < SCHEMES; ++i) RELEASES.addScheme(_scheme(i));
    }

    function retireScheme(uint8 which) external {
        // Rarely, or nothing would be left to publish.
        if (which < 16) RELEASES.retireScheme(_schemeId(which));
    }

    function publish(uint8 which, uint8 approvals, uint8 ahead) external {
        bytes32 scheme = _schemeId(which);
        IReleaseRegistry.ReleaseTerms memory terms = IReleaseRegistry.ReleaseTerms({
            release: published + (ahead % 16 == 0 ? 2 : 1),
            scheme: scheme,
            manifest: "manifest",
            certificate: "certificate",
            escrowRoot: "escrow",
            rows: 1,
            escrowed: 1,
            k: 11,
            tier: 2,
            dataUse: DataUse.wrap(USE),
            windowBlock: uint64(block.number),
            deadline: _deadline()
        });
        bytes32 typeHash = keccak256(
            "ResearchRelease(uint48 release,bytes32 scheme,bytes32 manifest,bytes32 certificate,bytes32 escrowRoot,uint32 rows,uint32 escrowed,uint16 k,uint8 tier,uint32 dataUse,uint64 windowBlock,uint256 deadline)"
        );
        (IReleaseRegistry.SchemeStatus status, , ) = RELEASES.schemeOf(scheme);
        RELEASES.publishRelease(terms, _set(), _approve(keccak256(abi.encode(typeHash, terms)), approvals));
        if (status != IReleaseRegistry.SchemeStatus.Live || _count(approvals) < 2) ++wrongs;
        if (terms.release != ++published) ++wrongs;
    }

    function hold(uint8 seed, uint8 who) external {
        uint48 release = _pick(seed);
        bytes32 typeHash = keccak256("ReleaseHold(uint48 release,bytes32 reason,uint32 revision,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, release, bytes32(0), _revision(release), _deadline()));
        RELEASES.holdRelease(release, 0, _deadline(), _set(), _approval(structHash, who % STEWARDS));
    }

    function letGo(uint8 seed, uint8 approvals) external {
        uint48 release = _pick(seed);
        bytes32 typeHash = keccak256("ReleaseLetGo(uint48 release,bytes32 reason,uint32 revision,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, release, bytes32(0), _revision(release), _deadline()));
        RELEASES.letGoRelease(release, 0, _deadline(), _set(), _approve(structHash, approvals));
        if (_count(approvals) < 2) ++wrongs;
    }

    function withdraw(uint8 seed, uint8 approvals) external {
        uint48 release = _pick(seed);
        bytes32 typeHash = keccak256("ReleaseWithdrawal(uint48 release,bytes32 reason,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, release, bytes32(0), _deadline()));
        RELEASES.withdrawRelease(release, 0, _deadline(), _set(), _approve(structHash, approvals));
        if (_count(approvals) < 2) ++wrongs;
        isWithdrawn[release] = true;
    }

    function grant(uint8 seed, uint8 approvals, bytes32 agreement, uint32 purpose) external {
        uint48 release = _pick(seed);
        // Half the time a purpose that lies within the terms of use.
        if (purpose % 2 == 0) purpose = (1 << 2) | (1 << 10) | (1 << 22);
        IResearchAccess.AccessTerms memory terms = IResearchAccess.AccessTerms({
            release: release,
            researcher: VM.addr(RESEARCHER_KEY),
            agreement: keccak256(abi.encode(uint256(agreement) % 8)),
            purpose: Purpose.wrap(purpose),
            expiresAt: uint40(block.timestamp + 5 * 365 days),
            deadline: _deadline()
        });
        bytes32 typeHash = keccak256(
            "ResearchAccess(uint48 release,address researcher,bytes32 agreement,uint32 purpose,uint40 expiresAt,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, terms));
        bytes memory acceptance = _signTyped(RESEARCHER_KEY, NAME, address(RELEASES), structHash);
        bytes32 access = RELEASES.grantAccess(
            terms,
            _set(),
            _approve(structHash, approvals),
            abi.encodePacked(terms.researcher),
            acceptance
        );
        if (!RELEASES.isPurposeAllowed(DataUse.wrap(USE), terms.purpose)) ++wrongs;
        if (isWithdrawn[release] || isRevoked[access] || isGiven[access] || _count(approvals) < 2) ++wrongs;
        isGiven[access] = true;
        accesses.push(access);
    }

    function revoke(uint8 seed, uint8 who) external {
        bytes32 access = accesses[seed % accesses.length];
        bytes32 typeHash = keccak256("ResearchAccessRevocation(bytes32 access,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typeHash, access, _deadline()));
        RELEASES.revokeAccess(access, _deadline(), _set(), _approval(structHash, who % STEWARDS));
        isRevoked[access] = true;
    }

    function countAccesses() external view returns (uint256) {
        return accesses.length;
    }

    function _scheme(uint256 which) private pure returns (IReleaseRegistry.Scheme memory) {
        return IReleaseRegistry.Scheme(bytes32(which), "code", "parameters", 2, 11);
    }

    function _schemeId(uint256 which) private pure returns (bytes32) {
        return keccak256(abi.encode(_scheme(which % SCHEMES)));
    }

    function _pick(uint8 seed) private view returns (uint48) {
        return uint48(_bound(seed, 1, published));
    }

    function _revision(uint48 release) private view returns (uint32) {
        return RELEASES.releaseOf(release).revision;
    }

    function _set() private pure returns (IKeySets.KeySet memory set) {
        set = IKeySets.KeySet(new address[](STEWARDS), 2);
        for (uint256 i = 0; i < STEWARDS; ++i) set.ids[i] = VM.addr(i + 1);
    }

    function _approve(bytes32 structHash, uint8 places) private view returns (IKeySets.Approval[] memory approvals) {
        approvals = new IKeySets.Approval[](_count(places));
        uint256 next = 0;
        for (uint256 i = 0; i < STEWARDS; ++i) if (places & (1 << i) != 0) approvals[next++] = _approval(structHash, i);
    }

    function _approval(bytes32 structHash, uint256 index) private view returns (IKeySets.Approval memory) {
        bytes memory signature = _signTyped(index + 1, NAME, address(RELEASES), structHash);
        return IKeySets.Approval(uint8(index), abi.encodePacked(VM.addr(index + 1)), signature);
    }

    function _count(uint8 places) private pure returns (uint256 count) {
        for (uint256 i = 0; i < STEWARDS; ++i) if (places & (1 << i) != 0) ++count;
    }

    function _deadline() private view returns (uint256) {
        return block.timestamp + 1 days;
    }
}

contract ReleaseRegistryInvariants is Test {
    ReleaseActor private _actor;

    function setUp() public {
        _actor = new ReleaseActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_onlyLiveSchemesAndEnoughStewardsAndMatchingPurposes() public view {
        _equal(_actor.wrongs(), 0, "wrongs");
        _equal(_actor.RELEASES().latestRelease(), _actor.published(), "latest");
    }

    function invariant_withdrawnAndRevokedStaySo() public view {
        ReleaseRegistry releases = _actor.RELEASES();
        for (uint48 release = 1; release <= _actor.published(); ++release) {
            bool isWithdrawn = releases.releaseOf(release).status == IReleaseRegistry.ReleaseStatus.Withdrawn;
            _require(isWithdrawn == _actor.isWithdrawn(release), "withdrawn");
            _require(releases.digestOf(release) != 0, "digest");
        }
        for (uint256 i = 0; i < _actor.countAccesses(); ++i) {
            bytes32 access = _actor.accesses(i);
            IResearchAccess.Access memory entry = releases.accessOf(access);
            _require(entry.isRevoked == _actor.isRevoked(access), "revoked");
            bool isLive =
                !entry.isRevoked && releases.releaseOf(entry.release).status == IReleaseRegistry.ReleaseStatus.Live;
            _require(releases.isAccessLive(access, block.timestamp) == isLive, "live");
        }
    }
}
