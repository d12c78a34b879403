import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '#scripts/process/run.ts'

/** Why a mutant may survive, by its id. */
export function readExplained(): ReadonlyMap<string, string> {
  const text = readFileSync(join(ROOT, 'test/contracts/surviving-mutants.json'), 'utf8')
  return new Map(Object.entries(JSON.parse(text) as Record<string, string>))
}
