/** Fields for digests and random values that hold something else: a word, a code, text in any encoding. */
import { getBytes } from 'ethers'
import type { Decoder } from '#scripts/observer/calls.ts'
import type { Finding } from '#scripts/observer/find.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

/** Of 32 random bytes no more are zero, no more can be printed and no fewer differ, but once in ten million words. */
const [MOST_ZEROS, MOST_PRINTABLE, FEWEST_VALUES] = [4, 27, 20] as const

/**
 * Looks at every field of 32 bytes that is not zero as a whole.
 *
 * @param plain - names of fields that may be read (docs/privacy.md)
 */
export function findPlainFields(transaction: SeenTransaction, decode: Decoder, plain: readonly string[]): Finding[] {
  return decode(transaction)
    .filter(({ name, type, value }) => type === 'bytes32' && !plain.includes(name) && isPlain(getBytes(String(value))))
    .map(({ name }) => ({ needle: `field ${name}, which is no digest`, hash: transaction.hash, place: 'calldata' }))
}

function isPlain(bytes: Uint8Array): boolean {
  const count = (test: (byte: number) => boolean): number => bytes.filter(test).length
  const zeros = count(byte => byte === 0)
  if (zeros === bytes.length) return false
  const printable = count(byte => byte >= 0x20 && byte < 0x7f)
  return zeros > MOST_ZEROS || printable > MOST_PRINTABLE || new Set(bytes).size < FEWEST_VALUES
}
