/**
 * Checks the EIP-712 statement that ties a key bundle to an address, as core/identity/key-binding.ts makes it, without a
 * chain library: an offline verifier imports nothing that could open a connection.
 *
 * @see https://eips.ethereum.org/EIPS/eip-712
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { keccak256, paddedWord, uintWord } from '#core/proof/keccak.ts'

const DOMAIN_TYPE: Uint8Array = keccak256(
  utf8('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
)
const DOMAIN_NAME: Uint8Array = keccak256(utf8('Salus AccessGrants'))
const DOMAIN_VERSION: Uint8Array = keccak256(utf8('1'))
const BINDING_TYPE: Uint8Array = keccak256(utf8('KeyBinding(bytes32 keyBundle,uint256 notAfter)'))

/** What was signed. */
export interface BindingClaim {
  readonly chainId: number
  /** Address of `AccessGrants`, 20 bytes. */
  readonly accessGrants: Uint8Array
  readonly bundleDigest: Uint8Array
  /** Seconds since 1970. */
  readonly notAfter: number
}

/**
 * The address that signed a binding, or undefined if no address did.
 *
 * @param signature - r, s, v: 65 bytes with the smaller s and v 27 or 28; no other form counts
 */
export function bindingSigner(claim: BindingClaim, signature: Uint8Array): Uint8Array | undefined {
  const v = signature[64]
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  try {
    const rs = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    if (rs.hasHighS()) return undefined
    const key = rs.addRecoveryBit(v - 27).recoverPublicKey(bindingHash(claim))
    return keccak256(key.toBytes(false).subarray(1)).subarray(12)
  } catch {
    // The library throws where r or s is out of range or lies on no point; that is no signature.
    return undefined
  }
}

function bindingHash({ chainId, accessGrants, bundleDigest, notAfter }: BindingClaim): Uint8Array {
  const domain = keccak256(
    concat(DOMAIN_TYPE, DOMAIN_NAME, DOMAIN_VERSION, uintWord(chainId), paddedWord(accessGrants))
  )
  const struct = keccak256(concat(BINDING_TYPE, bundleDigest, uintWord(notAfter)))
  return keccak256(concat(Uint8Array.of(0x19, 0x01), domain, struct))
}
