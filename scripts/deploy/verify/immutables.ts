import {
  dataSlice,
  encodeBytes32String,
  getBytes,
  hexlify,
  id,
  toBeHex,
  toUtf8Bytes,
  TypedDataEncoder,
  zeroPadValue,
  type TypedDataDomain
} from 'ethers'
import type { Bytecode } from '#scripts/deploy/bytecode.ts'

/**
 * The words in a contract's code that its constructor cannot have put there.
 *
 * @param code - on the chain
 * @param domain - EIP-712 domain of the contract, if it has one
 * @param args - the addresses its constructor takes
 */
export function foreignImmutables(
  code: string,
  { immutables }: Bytecode,
  { address, domain, args }: { address: string; domain: TypedDataDomain | undefined; args: readonly string[] }
): string[] {
  const known = new Set([address, ...args].map(account => zeroPadValue(account, 32).toLowerCase()))
  if (domain != null) for (const word of domainWords(domain)) known.add(word)
  const bytes = getBytes(code)
  return immutables
    .map(({ start, length }) => hexlify(bytes.subarray(start, start + length)))
    .filter(word => !known.has(word))
}

/** What OpenZeppelin's EIP712 keeps: the domain's hash and its parts. */
function domainWords(domain: TypedDataDomain): string[] {
  const texts = [domain.name ?? '', domain.version ?? '']
  return [
    TypedDataEncoder.hashDomain(domain),
    toBeHex(domain.chainId ?? 0, 32),
    ...texts.map(text => id(text)),
    ...texts.map(shortString)
  ]
}

/** A text of at most 31 bytes as one word, its length in the last byte (OpenZeppelin's ShortString). */
function shortString(text: string): string {
  const length = toBeHex(toUtf8Bytes(text).length, 1)
  return dataSlice(encodeBytes32String(text), 0, 31) + length.slice(2)
}
