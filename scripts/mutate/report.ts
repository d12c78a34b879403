import type { Mutant } from '#scripts/mutate/mutants.ts'
import type { Verdict } from '#scripts/mutate/protocol.ts'

/** A mutant and what became of it; no verdict if it was not tried. */
export interface Tried {
  readonly mutant: Mutant
  readonly verdict: Verdict | undefined
}

/** docs/mutation.md. */
export function renderReport(tried: readonly Tried[], explained: ReadonlyMap<string, string>): string {
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

| Source | Mutants | Killed | Explained | Unexplained | Not tried |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}
${row('in all', tried, explained)}

## Survivors

${surviving.length === 0 ? 'None.' : surviving.map(one => survivor(one, explained)).join('\n')}
`
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
