import type { Mutant } from '#scripts/mutate/mutants.ts'
import type { Outcome, Verdict } from '#scripts/mutate/protocol.ts'
import { scoreOf } from '#scripts/mutate/score.ts'

/** A mutant and what became of it; no verdict if it was not tried. */
export interface Tried {
  readonly mutant: Mutant
  readonly verdict: Verdict | undefined
}

/** A choice that chance made among all changes. */
export interface Sample {
  readonly seed: string
  readonly tried: readonly Tried[]
  /** The same with the verdict of the first time, before tests were written for those that survived. */
  readonly found: readonly Tried[]
}

/** docs/mutation.md; `tried` are all mutants, tried or not. */
export function renderReport(tried: readonly Tried[], explained: ReadonlyMap<string, string>, sample?: Sample): string {
  const files = [...new Set(tried.map(({ mutant }) => mutant.file))].sort()
  const rows = files.map(file =>
    row(
      file,
      tried.filter(({ mutant }) => mutant.file === file),
      explained
    )
  )
  const surviving = tried.filter(({ verdict }) => verdict?.outcome === 'survived')
  return `# Mutation testing of the contracts

<!-- Written by npm run mutate -- --write; do not edit. -->

\`npm run mutate\` makes one small change at a time to a contract and runs the tests: a change that no test notices is a rule that no
test holds. Changes that the compiler makes the same code of are no mutants, nor are those that do not compile. What a mutant
that survives is allowed to survive for stands in \`test/contracts/surviving-mutants.json\`, and below.

${sample == null ? '' : `${sampled(sample, tried.length, explained)}\n\n`}| Source | Mutants | Killed | Explained | Unexplained | Not tried |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}
${row('in all', tried, explained)}

## Survivors

${surviving.length === 0 ? 'None.' : surviving.map(one => survivor(one, explained)).join('\n')}
`
}

/** What a sample says of all; an unfinished one says nothing. */
function sampled({ seed, tried, found }: Sample, all: number, explained: ReadonlyMap<string, string>): string {
  const chosen = `A random choice of ${String(tried.length)} of the ${String(all)} changes (seed ${seed})`
  const missing = tried.filter(({ verdict }) => verdict == null).length
  if (missing > 0) return `${chosen} is not tried to the end: ${String(missing)} are missing.`
  const count = (among: readonly Tried[], outcome: Outcome): number =>
    among.filter(({ verdict }) => verdict?.outcome === outcome).length
  const mutants = count(tried, 'killed') + count(tried, 'survived')
  const excused = tried.filter(({ mutant, verdict }) => verdict?.outcome === 'survived' && explained.has(mutant.id))
  const first = scoreOf(count(found, 'killed'), count(found, 'killed') + count(found, 'survived'))
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  return `${chosen} holds ${String(mutants)} mutants. When each was first tried, the tests killed ${percent(first.share)}; for all mutants
that means, with a probability of 95 %, between ${percent(first.low)} and ${percent(first.high)} (Wilson's interval), explained ones counted as
survivors. Tests were then written for survivors: now ${String(count(tried, 'killed'))} are killed and ${String(excused.length)} explained.`
}

/** One line that tells a mutant. */
export function describe({ id, file, line, where, operator, before, after }: Mutant): string {
  return `${id} ${file}:${String(line)} ${where}, ${operator}: ${before} -> ${after}`
}

function row(name: string, tried: readonly Tried[], explained: ReadonlyMap<string, string>): string {
  const of = (outcome?: string): Tried[] => tried.filter(({ verdict }) => verdict?.outcome === outcome)
  const survived = of('survived')
  const excused = survived.filter(({ mutant }) => explained.has(mutant.id))
  const missing = of(undefined).length
  const all = of('killed').length + survived.length + missing
  const cells = [all, of('killed').length, excused.length, survived.length - excused.length, missing]
  return `| ${name} | ${cells.map(String).join(' | ')} |`
}

function survivor({ mutant }: Tried, explained: ReadonlyMap<string, string>): string {
  const { id, file, where, operator, before, after } = mutant
  const shown = (text: string): string => `\`${text.replaceAll('`', "'")}\``
  const reason = explained.get(id) ?? '**not explained**'
  return `* \`${id}\` ${where} in \`${file}\`, ${operator}: ${shown(before)} becomes ${shown(after)}. ${reason}`
}
