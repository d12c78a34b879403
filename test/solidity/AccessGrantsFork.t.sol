// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "../../contracts/interfaces/ISignedRequests.sol";
import {GrantTerms} from "../../contracts/libraries/GrantTerms.sol";
import {PatientActor} from "./PatientActor.sol";
import {Test} from "./Vm.sol";

/// @title Signs grants for the chain it stands on, and submits what it signed, in either form
contract ForkActor is PatientActor {
    struct Signed {
        uint256 deadline;
        bytes signature;
    }

    /// @notice The chain of the deployment. Kept, since a compiler may read the chain's id anew wherever it is used.
    uint256 public immutable HOME = block.chainid;

    /// @notice Signs for the chain as it is now.
    function sign(bytes32 scope) external view returns (Signed memory) {
        GrantTerms terms = _terms();
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,uint32 epoch,uint256 deadline)"
                ),
                PATIENT,
                terms.grantee(),
                terms.notBefore(),
                terms.expiresAt(),
                terms.rights(),
                terms.uses(),
                scope,
                uint32(0),
                _soon()
            )
        );
        return Signed(_soon(), _sign(PATIENT_KEY, structHash));
    }

    /// @notice Submits bytes of a signature of any kind.
    function submit(bytes32 scope, Signed calldata signed) external {
        GRANTS.grant(PATIENT, _terms(), scope, signed.deadline, _signerOf(PATIENT_KEY), signed.signature);
    }

    /// @notice Submits the two words of an account's signature, which has a domain cached.
    function submitCompact(bytes32 scope, Signed calldata signed) external {
        (bytes32 r, bytes32 s) = abi.decode(signed.signature[:64], (bytes32, bytes32));
        bytes32 vs = signed.signature[64] == 0x1b ? s : s | bytes32(uint256(1) << 255);
        GRANTS.grantWithAccount(PATIENT, _terms(), scope, signed.deadline, r, vs);
    }

    /// @notice Whether a grant under this scope is live.
    function isLive(bytes32 scope) external view returns (bool) {
        return GRANTS.isLive(keccak256(abi.encode(PATIENT, scope)), block.timestamp);
    }

    function _terms() private pure returns (GrantTerms) {
        bytes memory packed = abi.encodePacked(uint8(2), uint8(1), type(uint40).max, uint40(0), address(0xd0c));
        return GrantTerms.wrap(uint256(bytes32(packed)));
    }
}

/// @dev The chain splits after the deployment: what was signed for one side is worth nothing on the other.
contract AccessGrantsForkTest is Test {
    ForkActor private _actor;

    function setUp() public {
        _actor = new ForkActor();
    }

    function testFuzz_aForkTakesNothingSignedForTheOtherSide(uint32 chain, bytes32 scope) public {
        ForkActor.Signed memory before = _actor.sign(scope);
        VM.chainId(_otherThan(chain));
        _refused(abi.encodeCall(_actor.submitCompact, (scope, before)));
        _refused(abi.encodeCall(_actor.submit, (scope, before)));
    }

    function testFuzz_aForkTakesWhatIsSignedForIt(uint32 chain, bytes32 one, bytes32 two) public {
        VM.assume(one != two);
        VM.chainId(_otherThan(chain));
        _actor.submitCompact(one, _actor.sign(one));
        _actor.submit(two, _actor.sign(two));
        _require(_actor.isLive(one) && _actor.isLive(two), "opened");
    }

    function testFuzz_theChainOfTheDeploymentGoesOn(uint32 chain, bytes32 scope) public {
        ForkActor.Signed memory before = _actor.sign(scope);
        VM.chainId(_otherThan(chain));
        ForkActor.Signed memory there = _actor.sign(scope);
        VM.chainId(_actor.HOME());
        _refused(abi.encodeCall(_actor.submitCompact, (scope, there)));
        _actor.submitCompact(scope, before);
        _require(_actor.isLive(scope), "opened");
    }

    function _refused(bytes memory call) private {
        // solhint-disable-next-line avoid-low-level-calls
        (bool isDone, bytes memory reason) = address(_actor).call(call);
        _require(!isDone && bytes4(reason) == ISignedRequests.RequestSignatureInvalid.selector, "refused for this");
    }

    function _otherThan(uint256 chain) private view returns (uint256) {
        chain = _bound(chain, 1, type(uint32).max);
        return chain == _actor.HOME() ? chain + 1 : chain;
    }
}
