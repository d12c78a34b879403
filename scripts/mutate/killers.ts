import { withCode } from '#scripts/mutate/deployed.ts'
import type { Code } from '#scripts/mutate/mixture.ts'
import { suitesAbout } from '#scripts/mutate/reach.ts'
import { loadSuite, suiteFiles, type Failed, type Suite } from '#scripts/mutate/suites.ts'

/** What kills one mutant is likely to kill its neighbour: the tests that killed last are tried first, of so many files. */
const RECENT_FILES = 2
/** So much of a processor's time makes a test file one to try last. */
const LONG_US = 1_500_000

/** What is known of the tests about one source in one contract. */
interface Tests {
  /** Test files, in the order in which they are tried. */
  files: readonly string[]
  /** Titles of the tests that have killed, by file, the last one at the end. */
  readonly killers: Map<string, Set<string>>
}

const suites = new Map<string, Suite>()
const known = new Map<string, Tests>()
/** Tests that were seen to pass with unchanged code, and with which. */
const sound = new Set<string>()

/** A test that failed. It is unsound if it fails with unchanged code too, and so says nothing. */
export interface Killer extends Failed {
  readonly isSound: boolean
}

/**
 * The first test to fail with some code of a contract; nothing if all pass.
 *
 * @param source - path of the source that was changed
 * @param unchanged - the same code without the change
 */
export async function firstFailure(
  contract: string,
  source: string,
  code: Code,
  unchanged: Code
): Promise<Killer | undefined> {
  const key = `${contract} ${source}`
  const tests = known.get(key) ?? { files: suitesAbout(contract, source, suiteFiles()), killers: new Map() }
  known.set(key, tests)
  const failed = await withCode(contract, code, () => firstOf(tests))
  if (failed == null) return undefined
  const proof = `${unchanged.runtimeHash} ${failed.file} ${failed.test ?? ''}`
  if (!sound.has(proof)) {
    const only = failed.test == null ? undefined : new Set([failed.test])
    if ((await withCode(contract, unchanged, () => run(failed.file, only))) != null) {
      tests.killers.delete(failed.file)
      return { ...failed, isSound: false }
    }
    sound.add(proof)
  }
  return { ...failed, isSound: true }
}

async function firstOf(tests: Tests): Promise<Failed | undefined> {
  const recent = [...tests.killers].slice(-RECENT_FILES).reverse()
  for (const [file, only] of recent) {
    const failed = await run(file, only)
    if (failed != null) return remembered(tests, failed)
  }
  const long = new Set<string>()
  let found: Failed | undefined
  for (const file of tests.files) {
    const begun = process.cpuUsage()
    found = await run(file)
    const { user, system } = process.cpuUsage(begun)
    if (found != null) break
    if (user + system > LONG_US) long.add(file)
  }
  tests.files = [...tests.files.filter(file => !long.has(file)), ...long]
  return found == null ? undefined : remembered(tests, found)
}

function remembered({ killers }: Tests, failed: Failed): Failed {
  const titles = killers.get(failed.file) ?? new Set()
  killers.delete(failed.file)
  if (failed.test != null) killers.set(failed.file, titles.add(failed.test))
  return failed
}

async function run(file: string, only?: ReadonlySet<string>): Promise<Failed | undefined> {
  const suite = suites.get(file) ?? (await loadSuite(file))
  suites.set(file, suite)
  return suite.run(only)
}
