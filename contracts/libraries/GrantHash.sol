// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrantTerms} from "./GrantTerms.sol";
import {PatientWord} from "./PatientWord.sol";

/**
 * @title What a patient signs to open a grant, from packed terms
 * @dev {isSignedBy} does what {structHash}, OpenZeppelin's MessageHashUtils and its ECDSA do one after the other, for a
 * third of the gas around the precompile. It is in assembly because every grant pays for it; the fuzz tests hold it
 * against them.
 */
library GrantHash {
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 patient,address grantee,uint40 notBefore,uint40 expiresAt,uint8 rights,uint8 uses,bytes32 scope,uint32 epoch,uint256 deadline)"
    );

    /// @dev The EIP-712 hash of the struct.
    function structHash(
        bytes32 patient,
        GrantTerms terms,
        bytes32 scope,
        uint32 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    GRANT_TYPEHASH,
                    patient,
                    terms.grantee(),
                    terms.notBefore(),
                    terms.expiresAt(),
                    terms.rights(),
                    terms.uses(),
                    scope,
                    epoch,
                    deadline
                )
            );
    }

    /**
     * @dev Whether the signer that the patient's word names signed the grant, with the key of an account and in 64
     * bytes (ERC-2098). Nobody did for a patient that is not known, whose word names the zero address. In this form s
     * has 255 bits, too few for the twin of a signature that another form would have to refuse.
     */
    function isSignedBy(
        bytes32 domainSeparator,
        bytes32 patient,
        PatientWord word,
        GrantTerms terms,
        bytes32 scope,
        uint256 deadline,
        bytes32 r,
        bytes32 vs
    ) internal view returns (bool isSigned) {
        bytes32 typeHash = GRANT_TYPEHASH;
        // Ten words above the free memory pointer, which stays where it is: nothing of them is needed afterwards.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typeHash)
            mstore(add(m, 0x20), patient)
            mstore(add(m, 0x40), shr(96, shl(96, terms)))
            mstore(add(m, 0x60), and(shr(160, terms), 0xffffffffff))
            mstore(add(m, 0x80), and(shr(200, terms), 0xffffffffff))
            mstore(add(m, 0xa0), byte(1, terms))
            mstore(add(m, 0xc0), byte(0, terms))
            mstore(add(m, 0xe0), scope)
            mstore(add(m, 0x100), shr(192, word))
            mstore(add(m, 0x120), deadline)
            let hash := keccak256(m, 0x140)
            mstore(m, hex"1901")
            mstore(add(m, 0x02), domainSeparator)
            mstore(add(m, 0x22), hash)
            // What the precompile reads: digest, v, r, s.
            mstore(m, keccak256(m, 0x42))
            mstore(add(m, 0x20), add(27, shr(255, vs)))
            mstore(add(m, 0x40), r)
            mstore(add(m, 0x60), shr(1, shl(1, vs)))
            // Without a signer it returns nothing and leaves what is there: no id that anybody could have.
            mstore(0, not(0))
            pop(staticcall(gas(), 1, m, 0x80, 0, 0x20))
            isSigned := iszero(shl(96, xor(mload(0), word)))
        }
    }
}
