/** Whether a signer signed something, asked as the contracts do (contracts/libraries/Signers.sol). */
import {
  AbiCoder,
  Interface,
  dataLength,
  dataSlice,
  keccak256,
  recoverAddress,
  getAddress,
  TypedDataEncoder
} from 'ethers'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import type { Asked } from '#node/chain/applied-check.ts'

const ACCOUNT_BYTES = 20
const SIGNERS = new Interface([
  'function isValidSignature(bytes32 digest, bytes signature)',
  'function verify(bytes key, bytes32 digest, bytes signature)'
])

/** What stands for a signer in packed words: an account itself, else the end of its hash. */
export function signerIdOf(signer: string): string {
  return getAddress(dataLength(signer) === ACCOUNT_BYTES ? signer : dataSlice(keccak256(signer), 12))
}

/** Whether `signature` is of `signer`, in the form of ERC-7913, over the struct. */
export async function isSigned(
  chain: Asked,
  types: TypedDataTypes,
  value: Readonly<Record<string, unknown>>,
  { signer, signature }: { readonly signer: string; readonly signature: string }
): Promise<boolean> {
  const digest = TypedDataEncoder.hash(chain.domain, types, value)
  const account = dataSlice(signer, 0, ACCOUNT_BYTES)
  if (dataLength(signer) > ACCOUNT_BYTES) {
    return isYes(chain, account, 'verify', [dataSlice(signer, ACCOUNT_BYTES), digest, signature])
  }
  if (recovered(digest, signature) === getAddress(account)) return true
  return isYes(chain, account, 'isValidSignature', [digest, signature])
}

/**
 * A contract says yes by the selector of what it was asked, in one word and nothing behind it: the identity precompile, which has
 * no code, gives back all that it was asked, which starts like a yes.
 */
async function isYes(chain: Asked, to: string, method: string, args: readonly unknown[]): Promise<boolean> {
  const data = SIGNERS.encodeFunctionData(method, args)
  const yes = AbiCoder.defaultAbiCoder().encode(['bytes4'], [dataSlice(data, 0, 4)])
  return (await chain.call(to, data)) === yes
}

function recovered(digest: string, signature: string): string | undefined {
  try {
    return recoverAddress(digest, signature)
  } catch {
    return undefined
  }
}
