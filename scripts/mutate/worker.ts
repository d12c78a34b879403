/** One of the processes that try mutants; runs inside a copy of the project, whose bytecode it replaces. */
import { compileContracts } from '#scripts/generate/compile.ts'
import { original } from '#scripts/mutate/deployed.ts'
import { firstFailure } from '#scripts/mutate/killers.ts'
import { mixtureOf, type Code, type Mixture } from '#scripts/mutate/mixture.ts'
import type { Failure, Numbered, Trial, Verdict } from '#scripts/mutate/protocol.ts'
import { failingInSolidity } from '#scripts/mutate/solidity.ts'

/** The last mixture of each contract, as the mutants in it come one after the other. */
const mixtures = new Map<string, { readonly group: string; readonly mixture: Mixture | undefined }>()

/**
 * What kills a mutant that was compiled together with others: a test, or none. Nothing comes back if that cannot be found out
 * so.
 */
async function killerAmong({ file, switched, contracts }: Trial): Promise<{ readonly killer?: string } | undefined> {
  if (switched == null) return undefined
  for (const contract of contracts) {
    const mixture = compiledTogether(contract, switched)
    if (mixture == null) return undefined
    const failed = await firstFailure(contract, file, mixture.linked(switched.number), mixture.linked(0))
    if (failed?.isSound === false) return undefined
    if (failed != null) return { killer: failed.name }
  }
  return {}
}

function compiledTogether(contract: string, { group, sources }: Numbered): Mixture | undefined {
  const known = mixtures.get(contract)
  if (known?.group === group) return known.mixture
  let mixture: Mixture | undefined
  try {
    mixture = mixtureOf(contract, sources)
  } catch {
    // Each of them is compiled alone then.
  }
  mixtures.set(contract, { group, mixture })
  return mixture
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
    const failed = await firstFailure(contract, file, code, original(contract))
    if (failed?.isSound === false) throw new Error(`fails without a mutant, or when it is run again: ${failed.name}`)
    if (failed != null) return { id, outcome: 'killed', killer: failed.name }
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
