/** One of the processes that try mutants; runs inside a copy of the project, whose bytecode it replaces. */
import { compileContracts } from '#scripts/generate/compile.ts'
import { original, withCode } from '#scripts/mutate/deployed.ts'
import { mixtureOf, type Code, type Mixture } from '#scripts/mutate/mixture.ts'
import type { Failure, Trial, Verdict } from '#scripts/mutate/protocol.ts'
import { suitesAbout } from '#scripts/mutate/reach.ts'
import { failingInSolidity } from '#scripts/mutate/solidity.ts'
import { loadSuite, suiteFiles, type Suite } from '#scripts/mutate/suites.ts'

/** So much of a processor's time makes a test file one to try last. */
const LONG_US = 1_500_000

const suites = new Map<string, Suite>()
/** Test files about a source in a contract, in the order in which they are tried. */
const about = new Map<string, readonly string[]>()
/** Test files that were seen to pass, twice in this process, without a mutant. */
const sound = new Set<string>()
/** The last mixture of each contract, as the mutants in it come one after the other. */
const mixtures = new Map<string, { readonly source: string; readonly mixture: Mixture; readonly passed: Set<string> }>()

/**
 * The first test that fails, and its file. What has just killed one mutant is the likeliest to kill its neighbour, so it is
 * tried first; what took long and killed none, last.
 */
async function failingInMocha(
  contract: string,
  { file: source }: Trial,
  code: Code
): Promise<{ readonly file: string; readonly failed: string } | undefined> {
  const key = `${contract} ${source}`
  const files = about.get(key) ?? suitesAbout(contract, source, suiteFiles())
  return withCode(contract, code, async () => {
    const slow = new Set<string>()
    for (const file of files) {
      const begun = process.cpuUsage()
      const failed = await run(file)
      const { user, system } = process.cpuUsage(begun)
      if (user + system > LONG_US) slow.add(file)
      if (failed == null) continue
      slow.delete(file)
      about.set(key, [file, ...files.filter(other => other !== file && !slow.has(other)), ...slow])
      return { file, failed }
    }
    return undefined
  })
}

async function run(file: string): Promise<string | undefined> {
  const suite = suites.get(file) ?? (await loadSuite(file))
  suites.set(file, suite)
  return suite.run()
}

/** A test that fails without a mutant says nothing about any. */
async function requireSound(file: string): Promise<void> {
  if (sound.has(file)) return
  const failed = await run(file)
  if (failed != null) throw new Error(`without a mutant, or when run again, this fails: ${failed}`)
  sound.add(file)
}

/**
 * What kills a mutant that was compiled together with others: a test, or none. Nothing comes back if that cannot be found out
 * so.
 */
async function killerAmong(trial: Trial): Promise<{ readonly killer?: string } | undefined> {
  const { file, switched, contracts } = trial
  if (switched == null) return undefined
  for (const contract of contracts) {
    const { mixture, passed } = compiledTogether(contract, file, switched.source) ?? {}
    if (mixture == null || passed == null) return undefined
    const found = await failingInMocha(contract, trial, mixture.linked(switched.number))
    if (found == null) continue
    // It must be the mutant that fails, not what it was compiled with.
    if (!passed.has(found.file)) {
      await requireSound(found.file)
      if ((await withCode(contract, mixture.linked(0), () => run(found.file))) != null) return undefined
      passed.add(found.file)
    }
    return { killer: found.failed }
  }
  return {}
}

function compiledTogether(
  contract: string,
  file: string,
  source: string
): { readonly mixture: Mixture; readonly passed: Set<string> } | undefined {
  const known = mixtures.get(contract)
  if (known?.source === source) return known
  try {
    const made = { source, mixture: mixtureOf(contract, file, source), passed: new Set<string>() }
    mixtures.set(contract, made)
    return made
  } catch {
    return undefined
  }
}

async function decide(trial: Trial): Promise<Verdict> {
  const { id, file, source, contracts } = trial
  const among = await killerAmong(trial)
  if (among?.killer != null) return { id, outcome: 'killed', killer: among.killer }
  let isSame = true
  for (const contract of contracts) {
    let code: Code
    try {
      code = codeOf(contract, { file, source })
    } catch {
      return { id, outcome: 'invalid' }
    }
    if (code.creationCode === original(contract).creationCode) continue
    isSame = false
    // The same tests have just passed.
    if (among != null) continue
    const found = await failingInMocha(contract, trial, code)
    if (found == null) continue
    await requireSound(found.file)
    return { id, outcome: 'killed', killer: found.failed }
  }
  if (isSame) return { id, outcome: 'equivalent' }
  const killer = trial.inSolidity ? await failingInSolidity(trial) : undefined
  return killer == null ? { id, outcome: 'survived' } : { id, outcome: 'killed', killer }
}

function codeOf(contract: string, { file, source }: Pick<Trial, 'file' | 'source'>): Code {
  const path = `contracts/${contract}.sol`
  const { contracts } = compileContracts([], [path], [contract], new Map([[file, source]]))
  const compiled = contracts.get(path)?.find(({ name }) => name === contract)
  if (compiled == null) throw new Error(`${path} holds no ${contract}`)
  return compiled
}

process.on('message', (trial: Trial) => {
  void decide(trial)
    .catch((error: unknown): Failure => ({ error: String(error) }))
    .then(answer => process.send?.(answer))
})
process.send?.('ready')
