/** Signatures in two words, which the chain takes for less gas (https://eips.ethereum.org/EIPS/eip-2098). */
import { Signature, verifyTypedData } from 'ethers'
import { toHex } from '#core/encoding/bytes.ts'
import type { TypedData } from '#core/identity/key-binding.ts'

const ACCOUNT_SIGNATURE_LENGTH = 2 + 2 * 65

/**
 * The two words of a signature that an account made with its own key; `null` for that of a contract wallet, which also may
 * have 65 bytes.
 *
 * @param signer - address of the account, 20 bytes
 * @param typed - what was signed
 */
export function compactSignature(
  signature: string,
  signer: Uint8Array,
  typed: TypedData
): readonly [r: string, vs: string] | null {
  if (signature.length !== ACCOUNT_SIGNATURE_LENGTH) return null
  try {
    if (verifyTypedData(typed.domain, typed.types, typed.value, signature).toLowerCase() !== toHex(signer)) return null
  } catch {
    // No account can have made it; the contract wallet is asked.
    return null
  }
  const { r, yParityAndS } = Signature.from(signature)
  return [r, yParityAndS]
}
