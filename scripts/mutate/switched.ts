import { errorsIn } from '#scripts/generate/compile.ts'
import type { Mutant } from '#scripts/mutate/mutants.ts'

/** Many mutants of one source in one source. */
export interface Switched {
  readonly source: string
  /** The mutants that are in it; each runs if the library {@link SWITCH} is linked at its place in the list, from 1. */
  readonly mutants: readonly Mutant[]
  /** Those that do not compile: the compiler found an error in what was changed. */
  readonly invalid: readonly Mutant[]
}

/** Name of the library whose address decides which version runs; the compiler cannot know it, and so leaves all in place. */
export const SWITCH = 'MutantSwitch'
/** So many in one source: more, and code grows larger than a jump or a transaction reaches. */
const MOST = 80
/** One error may hide others. */
const MOST_ROUNDS = 8

interface Version {
  readonly mutant: Mutant
  readonly start: number
  readonly end: number
}

/**
 * Puts mutants of one source together, so that the compiler, which takes most of the time, runs once for many. What cannot
 * stand beside others is left out.
 *
 * @param contract - path of a contract that holds the source
 */
export function switchTogether(content: string, mutants: readonly Mutant[], contract: string): Switched[] {
  const fit = mutants.filter(({ place }) => place != null)
  const groups = Math.ceil(fit.length / MOST)
  const size = Math.ceil(fit.length / groups)
  return Array.from({ length: groups }, (_none, i) => fit.slice(i * size, (i + 1) * size)).map(group =>
    withoutErrors(content, group, contract)
  )
}

/** A source in which each place has its versions side by side, and where in it they stand. */
export function switchedSource(
  content: string,
  mutants: readonly Mutant[]
): { readonly source: string; readonly versions: readonly Version[] } {
  const bytes = Buffer.from(content)
  const slice = (start: number, end: number): string => bytes.subarray(start, end).toString()
  const versions: Version[] = []
  let [source, position] = ['', 0]
  const places = Map.groupBy(mutants, ({ place }) => place?.whole.start ?? 0)
  for (const [, group] of [...places].sort(([a], [b]) => a - b)) {
    const place = group[0]?.place
    if (place == null) continue
    const { whole, inner, isCondition, declared, target } = place
    source += slice(position, whole.start) + (isCondition ? '(' : `${declared}{ `)
    for (const mutant of group) {
      const { start, end, replacement } = mutant.change
      const version = slice(inner.start, start) + replacement + slice(end, inner.end)
      const asked = `uint160(address(${SWITCH})) == ${String(mutants.indexOf(mutant) + 1)}`
      source += isCondition ? `${asked} ? (` : `if (${asked}) { ${target}`
      const begun = Buffer.byteLength(source)
      source += version
      versions.push({ mutant, start: begun, end: Buffer.byteLength(source) })
      source += isCondition ? ') : ' : '; } else '
    }
    const original = slice(inner.start, inner.end)
    source += isCondition ? `(${original}))` : `{ ${target}${original}; } }`
    position = whole.end
  }
  return { source: `${source}${slice(position, bytes.length)}\nlibrary ${SWITCH} {}\n`, versions }
}

/** Takes out what does not compile; all, to be tried alone, if the compiler finds errors elsewhere. */
function withoutErrors(content: string, group: readonly Mutant[], contract: string): Switched {
  let left = group
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const file = group[0]?.file
    if (file == null) break
    const { source, versions } = switchedSource(content, left)
    const errors = errorsIn(contract, new Map([[file, source]]))
    if (errors.length === 0) return { source, mutants: left, invalid: group.filter(mutant => !left.includes(mutant)) }
    const wrong = new Set(
      versions
        .filter(({ start, end }) => errors.some(at => at?.file === file && at.start >= start && at.start < end))
        .map(({ mutant }) => mutant)
    )
    if (wrong.size === 0) break
    left = left.filter(mutant => !wrong.has(mutant))
  }
  return { source: content, mutants: [], invalid: [] }
}
