import { concat, utf8 } from '#core/encoding/bytes.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { Compartment } from '#core/record/compartment.ts'

/** Bytes of a compartment tag. */
export const TAG_BYTES = 16

/** One compartment's key between two revocations (DESIGN: keys and sealing). */
export interface Generation {
  /** Counts from 1 in each compartment. */
  readonly number: number
  /** 32 random bytes, never derived from another generation's. */
  readonly key: Uint8Array
}

const TAG_LABEL = utf8('salus/compartment-tag/1/')

/** A compartment's next generation; the first if there is none before. */
export function nextGeneration(random: Random, before?: Generation): Generation {
  return { number: (before?.number ?? 0) + 1, key: random(32) }
}

/**
 * The 16 bytes that name a compartment in entry headers. They differ for every patient and generation, so a node cannot
 * tell which section of a record an entry belongs to.
 */
export function compartmentTag(p: Primitives, generationKey: Uint8Array, compartment: Compartment): Uint8Array {
  return p.hmacSha256(generationKey, concat(TAG_LABEL, utf8(compartment))).slice(0, TAG_BYTES)
}
