/** Checks that every mutant that is explained in test/contracts/surviving-mutants.json still exists. */
import { readExplained } from '#scripts/mutate/explained.ts'
import { mutantsOf } from '#scripts/mutate/mutants.ts'
import { readSources } from '#scripts/mutate/sources.ts'

const ids = new Set(readSources().flatMap(({ path, text }) => mutantsOf(path, text).map(({ id }) => id)))
const stale = [...readExplained().keys()].filter(id => !ids.has(id))
for (const id of stale)
  console.error(`surviving-mutants.json explains ${id}, which no change to a contract makes any more`)
process.exitCode = stale.length === 0 ? 0 : 1
