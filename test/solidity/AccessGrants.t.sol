// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGrantBatches} from "../../contracts/interfaces/IGrantBatches.sol";
import {GrantTerms} from "../../contracts/libraries/GrantTerms.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {PatientActor} from "./PatientActor.sol";
import {Test} from "./Vm.sol";

/**
 * @title Opens, claims, revokes and replays grants in any order, alone and in batches, paused or not
 * @dev Grants 0 and 1 make up a batch; the same two and two others are granted alone, too, under the same scopes but
 * with one use more, against the rule that a scope is used once.
 */
contract GrantActor is PatientActor {
    uint256 private constant DOCTOR_KEY = 0xd0c;
    uint256 private constant SCOPES = 4;

    struct Signed {
        GrantTerms terms;
        uint256 deadline;
        bytes signature;
    }

    mapping(bytes32 grantId => bool) public isRevoked;
    mapping(bytes32 grantId => uint256) public claims;

    /// @notice How many uses the first who opened the grant's slot gave.
    mapping(bytes32 grantId => uint256) public usesOpened;

    /// @notice Whether something that must work while paused did not.
    bool public wasRefused;

    mapping(uint256 scope => Signed) private _single;
    Signed private _batch;
    bytes32 private _root;

    /// @notice Opens a grant, or replays it.
    function grant(uint256 seed, bool compact) external {
        uint256 scope = seed % SCOPES;
        if (_single[scope].deadline == 0) _signSingle(scope);
        Signed storage signed = _single[scope];
        if (compact) {
            (bytes32 r, bytes32 vs) = _compact(signed.signature);
            GRANTS.grantWithAccount(PATIENT, signed.terms, bytes32(scope + 1), signed.deadline, r, vs);
        } else {
            GRANTS.grant(
                PATIENT,
                signed.terms,
                bytes32(scope + 1),
                signed.deadline,
                _signerOf(PATIENT_KEY),
                signed.signature
            );
        }
        usesOpened[_idOf(scope)] = signed.terms.uses();
    }

    /// @notice Opens the batch, or replays it.
    function grantBatch() external {
        if (_batch.deadline == 0) _signBatch();
        _root = GRANTS.grantBatch(PATIENT, _items(), _batch.deadline, _signerOf(PATIENT_KEY), _batch.signature);
    }

    /// @notice Gives a grant of the batch its slot.
    function openFromBatch(uint256 seed) external {
        uint256 scope = seed % 2;
        IGrantBatches.BatchItem[] memory items = _items();
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leafOf(items[1 - scope]);
        GRANTS.openFromBatch(PATIENT, _root, items[scope], proof);
        usesOpened[_idOf(scope)] = items[scope].terms.uses();
    }

    /// @notice Claims one use.
    function claim(uint256 seed) external {
        bytes32 grantId = _idOf(seed % SCOPES);
        uint8 uses = GRANTS.termsOf(grantId).uses();
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Claim(bytes32 grantId,uint8 usesLeft,uint256 deadline)"),
                grantId,
                uses == 0 ? 0 : uses - 1,
                _soon()
            )
        );
        bool isLive = GRANTS.isLive(grantId, block.timestamp);
        try GRANTS.claim(grantId, _signerOf(DOCTOR_KEY), _soon(), _sign(DOCTOR_KEY, structHash)) {
            claims[grantId]++;
        } catch {
            if (isLive) wasRefused = true;
        }
    }

    /// @notice Revokes a grant, opened or not.
    function revoke(uint256 seed) external {
        uint256 scope = seed % SCOPES;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Revocation(bytes32 patient,bytes32 scope,uint256 deadline)"),
                PATIENT,
                bytes32(scope + 1),
                _soon()
            )
        );
        bytes memory signature = _sign(PATIENT_KEY, structHash);
        try GRANTS.revoke(PATIENT, bytes32(scope + 1), _soon(), _signerOf(PATIENT_KEY), signature) {
            isRevoked[_idOf(scope)] = true;
        } catch {
            if (!isRevoked[_idOf(scope)]) wasRefused = true;
        }
    }

    /// @notice The ids of all grants this actor deals with.
    function grantIds() external view returns (bytes32[] memory ids) {
        ids = new bytes32[](SCOPES);
        for (uint256 i = 0; i < SCOPES; ++i) ids[i] = _idOf(i);
    }

    /// @notice Whether a grant of the batch can be used now.
    function isLiveInBatch(uint256 scope) external view returns (bool) {
        IGrantBatches.BatchItem[] memory items = _items();
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leafOf(items[1 - scope]);
        return GRANTS.isLiveInBatch(PATIENT, _root, items[scope], proof, block.timestamp);
    }

    function _signSingle(uint256 scope) private {
        uint8 uses = uint8(scope) + 2;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,uint32 epoch,uint256 deadline)"
                ),
                PATIENT,
                VM.addr(DOCTOR_KEY),
                uint40(0),
                type(uint40).max,
                uint8(1),
                uses,
                bytes32(scope + 1),
                uint32(0),
                _soon()
            )
        );
        _single[scope] = Signed(_terms(uses), _soon(), _sign(PATIENT_KEY, structHash));
    }

    function _signBatch() private {
        IGrantBatches.BatchItem[] memory items = _items();
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "GrantBatch(bytes32 patient,BatchGrant[] grants,uint32 epoch,uint256 deadline)BatchGrant(address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope)"
                ),
                PATIENT,
                keccak256(abi.encodePacked(_leafOf(items[0]), _leafOf(items[1]))),
                uint32(0),
                _soon()
            )
        );
        _root = Hashes.commutativeKeccak256(_leafOf(items[0]), _leafOf(items[1]));
        _batch = Signed(GrantTerms.wrap(0), _soon(), _sign(PATIENT_KEY, structHash));
    }

    function _items() private pure returns (IGrantBatches.BatchItem[] memory items) {
        items = new IGrantBatches.BatchItem[](2);
        items[0] = IGrantBatches.BatchItem(_terms(1), bytes32(uint256(1)));
        items[1] = IGrantBatches.BatchItem(_terms(2), bytes32(uint256(2)));
    }

    function _leafOf(IGrantBatches.BatchItem memory item) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256(
                        "BatchGrant(address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope)"
                    ),
                    VM.addr(DOCTOR_KEY),
                    uint40(0),
                    type(uint40).max,
                    uint8(1),
                    item.terms.uses(),
                    item.scope
                )
            );
    }

    function _terms(uint8 uses) private pure returns (GrantTerms) {
        bytes memory packed = abi.encodePacked(uses, uint8(1), type(uint40).max, uint40(0), VM.addr(DOCTOR_KEY));
        return GrantTerms.wrap(uint256(bytes32(packed)));
    }

    function _compact(bytes memory signature) private pure returns (bytes32 r, bytes32 vs) {
        (bytes32 r_, bytes32 s, bytes1 v) = (_wordAt(signature, 0), _wordAt(signature, 32), signature[64]);
        return (r_, v == 0x1b ? s : s | bytes32(uint256(1) << 255));
    }

    function _wordAt(bytes memory data, uint256 place) private pure returns (bytes32 word) {
        for (uint256 i = 0; i < 32; ++i) word |= bytes32(data[place + i]) >> (8 * i);
    }

    function _idOf(uint256 scope) private view returns (bytes32) {
        return keccak256(abi.encode(PATIENT, bytes32(scope + 1)));
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

    function test_theActorReachesEveryState() public {
        bytes32[] memory ids = _actor.grantIds();
        _actor.grantBatch();
        _require(_actor.isLiveInBatch(1), "in the batch");
        _actor.openFromBatch(1);
        _actor.claim(1);
        _actor.grant(2, true);
        _actor.grant(3, false);
        _actor.togglePause();
        _actor.claim(3);
        _actor.revoke(0);
        _require(_actor.isRevoked(ids[0]) && !_actor.isLiveInBatch(0), "revoked");
        _require(_actor.claims(ids[1]) == 1 && _actor.claims(ids[3]) == 1, "claimed");
    }

    function invariant_revokedIsNeverLiveAgain() public view {
        bytes32[] memory ids = _actor.grantIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            if (!_actor.isRevoked(ids[i])) continue;
            _require(_actor.GRANTS().termsOf(ids[i]).isRevoked(), "tombstone");
            _require(!_actor.GRANTS().isLive(ids[i], block.timestamp), "live");
            _require(i > 1 || !_actor.isLiveInBatch(i), "live in its batch");
        }
    }

    function invariant_noGrantIsClaimedMoreOftenThanOpened() public view {
        bytes32[] memory ids = _actor.grantIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 claimed = _actor.claims(ids[i]);
            _require(claimed <= _actor.usesOpened(ids[i]), "claims");
            if (_actor.isRevoked(ids[i])) continue;
            _equal(_actor.GRANTS().termsOf(ids[i]).uses(), _actor.usesOpened(ids[i]) - claimed, "uses left");
        }
    }

    function invariant_revokingAndClaimingAlwaysWork() public view {
        _require(!_actor.wasRefused(), "refused");
    }
}
