import { isSalusError } from '#core/error.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { concat } from '#core/encoding/bytes.ts'
import { seededRandom } from '#test/seeded-random.ts'

/** Options of {@link mutations}. */
export interface MutationOptions {
  readonly seed: string
  readonly count: number
}

/** A whole number from 0 to `limit` - 1, slightly uneven, which does not matter here. */
function below(random: Random, limit: number): number {
  const [a = 0, b = 0, c = 0] = random(3)
  return limit === 0 ? 0 : ((a << 16) | (b << 8) | c) % limit
}

/** Each takes the valid bytes and makes something that should be refused, or at least not crash the reader. */
const KINDS: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  function flipBit(bytes, random) {
    const out = bytes.slice()
    const at = below(random, out.length)
    out[at] = (out[at] ?? 0) ^ (1 << below(random, 8))
    return out
  },
  function replaceByte(bytes, random) {
    const out = bytes.slice()
    out[below(random, out.length)] = below(random, 256)
    return out
  },
  function truncate(bytes, random) {
    return bytes.slice(0, below(random, bytes.length))
  },
  function extend(bytes, random) {
    return concat(bytes, random(1 + below(random, 16)))
  },
  function splice(bytes, random) {
    const from = below(random, bytes.length)
    const to = below(random, bytes.length)
    const length = 1 + below(random, 32)
    return concat(bytes.slice(0, to), bytes.slice(from, from + length), bytes.slice(to + below(random, length + 1)))
  },
  function cutOut(bytes, random) {
    const from = below(random, bytes.length)
    return concat(bytes.slice(0, from), bytes.slice(from + 1 + below(random, 16)))
  },
  function replaceRun(bytes, random) {
    const out = bytes.slice()
    const at = below(random, out.length)
    out.set(random(Math.min(out.length - at, 1 + below(random, 8))), at)
    return out
  }
]

/** Seeded mutations of valid bytes: flipped bits, replaced bytes and runs, cuts, extensions, splices of their own parts. */
export function* mutations(
  valid: Uint8Array,
  { seed, count }: MutationOptions
): Generator<Uint8Array, void, undefined> {
  const random = seededRandom(seed)
  for (let i = 0; i < count; i++) {
    const kind = KINDS[below(random, KINDS.length)]
    if (kind != null) yield kind(valid, random)
  }
}

/**
 * Reads each mutation of valid bytes and counts how the reader ended. A reader may accept (a mutation may be harmless to
 * it) or throw a `SalusError`; anything else is rethrown, and so fails the test.
 *
 * @returns how many were accepted, and how many were refused by code
 */
export async function survivesMutations(
  valid: Uint8Array,
  options: MutationOptions,
  read: (bytes: Uint8Array) => unknown
): Promise<{ accepted: number; refused: Record<string, number> }> {
  let accepted = 0
  const refused: Record<string, number> = {}
  for (const bytes of mutations(valid, options)) {
    try {
      const outcome = read(bytes)
      if (outcome instanceof Promise) await outcome
      accepted++
    } catch (error) {
      if (!isSalusError(error)) throw new Error(`uncaught for ${Buffer.from(bytes).toString('hex')}`, { cause: error })
      refused[error.code] = (refused[error.code] ?? 0) + 1
    }
  }
  return { accepted, refused }
}
