/** A block's bloom filter of the addresses and topics of its logs: what is not in it was not logged. */
import { keccak256 } from 'ethers'
import type { ChainLog } from '#core/chain/events.ts'

const BLOOM = /^0x[0-9a-f]{512}$/

/** Whether a text is a bloom filter of 256 bytes in hexadecimal. */
export function isBloom(text: unknown): text is string {
  return typeof text === 'string' && BLOOM.test(text)
}

/** The three bits of 2,048 that stand for an address or a topic. */
export function bloomBits(item: string): readonly number[] {
  const hash = keccak256(item)
  return [2, 6, 10].map(at => Number.parseInt(hash.slice(at, at + 4), 16) & 2_047)
}

/** Whether a filter has all of some bits set; false proves that what they stand for is not in the block. */
export function hasBits(bloom: string, bits: readonly number[]): boolean {
  return bits.every(bit => {
    // Bit 0 is the lowest one of the last byte.
    const digit = Number.parseInt(bloom.charAt(513 - (bit >> 2)), 16)
    return ((digit >> (bit & 3)) & 1) === 1
  })
}

/** Whether a log's address and all its topics are in the filter; where not, the log was invented. */
export function mayHoldLog(bloom: string, { address, topics }: ChainLog): boolean {
  return [address, ...topics].every(item => hasBits(bloom, bloomBits(item)))
}
