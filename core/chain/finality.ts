/** From when on a block counts: a level that an operator chooses for each purpose. */
import { SalusError } from '#core/error.ts'

/** The newest block, one that the chain calls safe or finalized, or one with so many others on top of it. */
export type FinalityLevel = 'latest' | 'safe' | 'finalized' | number

/** The newest blocks of a chain by what it says of them; `null` where it says nothing. */
export interface ChainHeads {
  readonly latest: number
  readonly safe: number | null
  readonly finalized: number | null
}

/**
 * The newest block that counts at a level.
 *
 * @throws SalusError `CHAIN_FINALITY_UNKNOWN` where the chain does not say which blocks are safe or finalized
 */
export function countsUpTo(level: FinalityLevel, heads: ChainHeads): number {
  if (typeof level === 'number') return heads.latest - level
  const number = heads[level]
  if (number == null) {
    throw new SalusError(
      'CHAIN_FINALITY_UNKNOWN',
      `The chain does not say which blocks are ${level}; choose a number of confirmations instead.`
    )
  }
  return Math.min(number, heads.latest)
}

/**
 * Reads a level: a word, or a number of confirmations.
 *
 * @throws SalusError `CHAIN_FINALITY_LEVEL`
 */
export function readFinalityLevel(text: string): FinalityLevel {
  if (text === 'latest' || text === 'safe' || text === 'finalized') return text
  if (!/^\d{1,6}$/.test(text)) {
    throw new SalusError('CHAIN_FINALITY_LEVEL', 'A finality level is latest, safe, finalized or a number of blocks.')
  }
  return Number(text)
}
