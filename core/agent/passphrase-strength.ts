/** How good a passphrase is, simply estimated: enough to refuse what a list of leaked ones or a small search finds. */
import { normalForm } from '#core/agent/passphrase-lock.ts'
import { SalusError } from '#core/error.ts'

/** The fewest characters of a passphrase. */
export const MIN_PASSPHRASE_LENGTH = 12

/** The least estimate, bits. With scrypt at its cost, 2^50 tries are some ten million years of one core. */
const MIN_BITS = 50
const MAX_LENGTH = 1024

/** Sizes of the sets that characters are taken from. */
const CLASSES: readonly (readonly [pattern: RegExp, size: number])[] = [
  [/[0-9]/, 10],
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[ -/:-@[-`{-~]/, 33],
  [/[^ -~]/, 100]
]

/** What people choose first; a passphrase that holds one counts it as one character. */
const COMMON =
  /passwor[dt]|passphrase|qwert[yz]|asdfgh|letmein|welcome|iloveyou|admin|dragon|monkey|football|baseball|salus|patient|hospital|secret/gi

/** Bits that a guesser has to try, at most: repeats and runs count once, common words as one character. */
export function estimateBits(passphrase: string): number {
  const rest = Array.from(normalForm(passphrase).replaceAll(COMMON, '\u0001'))
  const size = CLASSES.reduce((sum, [pattern, many]) => sum + (rest.some(each => pattern.test(each)) ? many : 0), 0)
  let counted = 0
  const seen = new Map<string, number>()
  for (const [i, each] of rest.entries()) {
    const before = rest[i - 1] ?? ''
    const isRun = Math.abs((each.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0)) <= 1 && before !== ''
    const times = (seen.get(each) ?? 0) + 1
    seen.set(each, times)
    // The third time that a character comes it surprises less; in a run or a repeat, not at all.
    counted += isRun ? 0 : times <= 2 ? 1 : 0.5
  }
  return counted * Math.log2(Math.max(2, size))
}

/**
 * Refuses a weak passphrase for a new lock.
 *
 * @throws SalusError `PASSPHRASE_WEAK`, `PASSPHRASE_LENGTH`
 */
export function checkPassphrase(passphrase: string): void {
  const { length } = Array.from(normalForm(passphrase))
  if (length < MIN_PASSPHRASE_LENGTH || length > MAX_LENGTH) {
    throw new SalusError(
      'PASSPHRASE_LENGTH',
      `A passphrase has ${String(MIN_PASSPHRASE_LENGTH)} to ${String(MAX_LENGTH)} characters; four or five words in a row do well.`
    )
  }
  if (estimateBits(passphrase) < MIN_BITS) {
    throw new SalusError('PASSPHRASE_WEAK', 'This passphrase is too easy to guess; take four or five words at random.')
  }
}
