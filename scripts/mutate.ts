/** `npm run mutate`: changes the contracts a little, one place at a time, and sees whether the tests notice. */
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { readExplained } from '#scripts/mutate/explained.ts'
import { mutantsOf, sampleOf, type Mutant } from '#scripts/mutate/mutants.ts'
import { tryAll } from '#scripts/mutate/pool.ts'
import { describe, renderReport, type Tried } from '#scripts/mutate/report.ts'
import { Results } from '#scripts/mutate/results.ts'
import { readSources, type Source } from '#scripts/mutate/sources.ts'
import type { Numbered } from '#scripts/mutate/protocol.ts'
import { switchTogether } from '#scripts/mutate/switched.ts'
import { ROOT } from '#scripts/process/run.ts'

const HELP = `Usage: npm run mutate [-- SOURCE ...] [--sample N] [--seed S] [--jobs N] [--mocha] [--write] [--list] [--json]

Makes mutants of contracts/ (of all, or of the sources named: AccessGrants, Signers) and runs the contracts' tests against each until
one fails. Verdicts are kept in .cache/mutate and used again while source and tests stay as they are.
Exits 1 where a mutant survives that test/contracts/surviving-mutants.json does not explain, or cannot be judged.

  --sample N  try N of them, chosen by the seed
  --seed S    another choice (default 1)
  --jobs N    processes (default: one per core)
  --mocha     leave out the tests in Solidity, which take minutes for each mutant that nothing else kills
  --write     write docs/mutation.md from all verdicts there are, and what the sample says
  --list      try nothing, list the mutants
  --json      print one JSON object per mutant tried, then one with the counts`
const REPORT = join(ROOT, 'docs/mutation.md')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    mocha: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

async function main(): Promise<void> {
  const sources = readSources()
  const all = sources.flatMap(source => mutantsOf(source.path, source.text).map(mutant => ({ mutant, source })))
  const sourceOf = new Map(all.map(({ mutant, source }) => [mutant.id, source]))
  const wanted = all
    .filter(({ source }) => positionals.length === 0 || positionals.some(name => source.path.endsWith(`/${name}.sol`)))
    .map(({ mutant }) => mutant)
  const chosen = values.sample == null ? wanted : sampleOf(wanted, Number(values.sample), values.seed)
  if (values.list) {
    for (const mutant of chosen) console.log(describe(mutant))
    return
  }

  const results = await Results.load()
  const known = (id: string): Tried['verdict'] => {
    const found = all.find(({ mutant }) => mutant.id === id)
    return found == null ? undefined : results.get(found.mutant, found.source)
  }
  const missing = chosen.filter(({ id }) => known(id) == null)
  const begun = performance.now()
  let done = 0
  const switched = switchAll(missing, sources)
  for (const { id } of switched.invalid) {
    const source = sourceOf.get(id)
    if (source != null) await results.add({ id, outcome: 'invalid' }, source)
  }
  const compiling = missing.filter(mutant => !switched.invalid.includes(mutant))
  const trials = compiling.map(({ id, file, source }) => ({
    id,
    file,
    source,
    contracts: sourceOf.get(id)?.contracts ?? [],
    switched: switched.byId.get(id),
    inSolidity: !values.mocha
  }))
  let failures = 0
  await tryAll(trials, Number(values.jobs), {
    async verdict(verdict) {
      const source = sourceOf.get(verdict.id)
      if (source != null) await results.add(verdict, source)
      done++
      if (values.json) console.log(JSON.stringify(verdict))
      else if (done % 20 === 0) console.error(`${String(done)} of ${String(compiling.length)}`)
    },
    failure(id, error) {
      failures++
      console.error(`mutant ${id} is not judged: ${error}`)
    }
  })
  const seconds = (performance.now() - begun) / 1000

  const explained = readExplained()
  const tried = chosen.map(mutant => ({ mutant, verdict: known(mutant.id) }))
  const count = (outcome: string): number => tried.filter(({ verdict }) => verdict?.outcome === outcome).length
  const unexplained = tried.filter(
    ({ mutant, verdict }) => verdict?.outcome === 'survived' && !explained.has(mutant.id)
  )
  const summary = {
    killed: count('killed'),
    survived: count('survived'),
    unexplained: unexplained.length,
    equivalent: count('equivalent'),
    invalid: count('invalid'),
    notJudged: failures,
    triedNow: missing.length,
    seconds: Math.round(seconds)
  }
  for (const { mutant } of unexplained) console.error(`survived: ${describe(mutant)}`)
  if (values.json) console.log(JSON.stringify(summary))
  else
    console.log(
      Object.entries(summary)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(', ')
    )
  if (values.write) {
    const isSample = chosen.length > 0 && chosen.length < all.length && positionals.length === 0
    const found = chosen.map(mutant => ({ mutant, verdict: results.first(mutant) }))
    const report = renderReport(
      all.map(({ mutant }) => ({ mutant, verdict: known(mutant.id) })),
      explained,
      isSample ? { seed: values.seed, tried, found } : undefined
    )
    await writeFile(REPORT, await format(report, { ...(await resolveConfig(REPORT)), filepath: REPORT }))
  }
  process.exitCode = unexplained.length === 0 && failures === 0 ? 0 : 1
}

/** Those that are compiled together, each with its number among them, and those that do not compile. */
function switchAll(
  mutants: readonly Mutant[],
  sources: readonly Source[]
): { readonly byId: ReadonlyMap<string, Numbered>; readonly invalid: readonly Mutant[] } {
  const byId = new Map<string, Numbered>()
  const wrong: Mutant[] = []
  const texts = new Map(sources.map(({ path, text }) => [path, text]))
  const smallest = new Map(sources.map(({ path, contracts }) => [path, contracts[0] ?? '']))
  for (const [contract, those] of Map.groupBy(mutants, ({ file }) => smallest.get(file) ?? '')) {
    switchTogether(texts, those, `contracts/${contract}.sol`).forEach(({ sources, mutants, invalid }, i) => {
      const group = `${contract} ${String(i)}`
      mutants.forEach(({ id }, j) => byId.set(id, { group, sources, number: j + 1 }))
      wrong.push(...invalid)
    })
  }
  return { byId, invalid: wrong }
}

if (values.help) console.log(HELP)
else await main()
