/** Whether an account signed a text: with its key, or by the code of a contract account (EIP-191, ERC-1271). */
import { hashMessage, recoverAddress, AbiCoder, dataSlice, type JsonRpcProvider } from 'ethers'

/** `isValidSignature(bytes32,bytes)`; also what it answers. */
const ERC1271 = '0x1626ba7e'
/** Gas of a contract account's check: it is anyone's code. */
const CHECK_GAS = 3_000_000
/** A key's signature, characters; a contract's may be longer. */
const KEY_SIGNATURE_LENGTH = 2 + 2 * 65

/** Who is to have signed. */
export interface Signatory {
  readonly address: string
  /** Whether it is a contract account. */
  readonly isContract?: boolean
}

/**
 * Judges a signature. The code of a contract account is asked of the chain's endpoint, which is believed: so only where an operator was
 * configured as one.
 *
 * @param signature - `0x…`
 * @returns false also where the chain cannot be asked
 */
export async function isSignedBy(
  provider: Pick<JsonRpcProvider, 'call'>,
  { address, isContract }: Signatory,
  text: string,
  signature: string
): Promise<boolean> {
  const hash = hashMessage(text)
  if (isContract !== true) return signature.length === KEY_SIGNATURE_LENGTH && recovers(hash, signature, address)
  const args = AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes'], [hash, signature])
  try {
    const answer = await provider.call({ to: address, data: `${ERC1271}${args.slice(2)}`, gasLimit: CHECK_GAS })
    // An account without code answers nothing at all.
    return answer.length === 66 && dataSlice(answer, 0, 4) === ERC1271 && /^0+$/.test(answer.slice(10))
  } catch {
    return false
  }
}

function recovers(hash: string, signature: string, address: string): boolean {
  try {
    return recoverAddress(hash, signature).toLowerCase() === address.toLowerCase()
  } catch {
    return false
  }
}
