/** One of the processes that try mutants; runs inside a copy of the project, whose bytecode it replaces. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { keccak256 } from 'ethers'
import { compileContracts, type CompiledContract } from '#scripts/generate/compile.ts'
import type { Failure, Trial, Verdict } from '#scripts/mutate/protocol.ts'
import { loadSuite, suiteFiles, type Suite } from '#scripts/mutate/suites.ts'
import { ROOT, runNode } from '#scripts/process/run.ts'

type Code = Omit<CompiledContract, 'abi' | 'name'>

/** Deploys a contract whose every call fails. */
const BROKEN: Code = { creationCode: '0x60fe5f5360015ff3', runtimeHash: keccak256('0xfe'), immutables: [] }

const suites: Suite[] = []
const originals = new Map<string, Code>()
const reached = new Map<string, readonly Suite[]>()

function codeOf(contract: string, source: Pick<Trial, 'file' | 'source'>): Code {
  const path = `contracts/${contract}.sol`
  const { contracts } = compileContracts([], [path], [contract], new Map([[source.file, source.source]]))
  const compiled = contracts.get(path)?.find(({ name }) => name === contract)
  if (compiled == null) throw new Error(`${path} holds no ${contract}`)
  return compiled
}

function bytecodePath(contract: string): string {
  return join(ROOT, `contracts/bytecode/${contract}.json`)
}

function original(contract: string): Code {
  const code = originals.get(contract) ?? (JSON.parse(readFileSync(bytecodePath(contract), 'utf8')) as Code)
  originals.set(contract, code)
  return code
}

/** Runs `work` while tests deploy this code. */
async function withCode<T>(contract: string, code: Code, work: () => Promise<T>): Promise<T> {
  const present = original(contract)
  const { creationCode, runtimeHash, immutables } = code
  writeFileSync(bytecodePath(contract), JSON.stringify({ ...present, creationCode, runtimeHash, immutables }))
  try {
    return await work()
  } finally {
    writeFileSync(bytecodePath(contract), JSON.stringify(present))
  }
}

/** The test files that notice when a contract does nothing at all, its own first. */
async function suitesFor(contract: string): Promise<readonly Suite[]> {
  const known = reached.get(contract)
  if (known != null) return known
  const found: Suite[] = []
  await withCode(contract, BROKEN, async () => {
    for (const suite of suites) if ((await suite.run()) != null) found.push(suite)
  })
  const own = contract.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
  found.sort((a, b) => Number(b.file.startsWith(own)) - Number(a.file.startsWith(own)))
  reached.set(contract, found)
  return found
}

/** What mocha does not notice, fuzz and invariants may; slow, as Hardhat compiles all anew, so the last resort. */
async function failingInSolidity({ file, source, contracts }: Omit<Trial, 'id'>): Promise<string | undefined> {
  const names = [basename(file), ...contracts.map(name => `${name}.sol`)]
  const tests = readdirSync(join(ROOT, 'test/solidity'))
    .filter(name => name.endsWith('.t.sol'))
    .map(name => `test/solidity/${name}`)
    .filter(path => names.some(name => readFileSync(join(ROOT, path), 'utf8').includes(`/${name}"`)))
  if (tests.length === 0) return undefined
  const written = readFileSync(join(ROOT, file))
  writeFileSync(join(ROOT, file), source)
  try {
    const { code, output } = await runNode(['node_modules/hardhat/dist/src/cli.js', 'test', 'solidity', ...tests])
    return code === 0 ? undefined : `solidity: ${/(?:test|invariant)\w+(?=\()/.exec(failures(output))?.[0] ?? 'a test'}`
  } finally {
    writeFileSync(join(ROOT, file), written)
  }
}

/** The lines that tell what failed. */
function failures(output: string): string {
  return output
    .split('\n')
    .filter(line => /^\s*\d+\) /.test(line))
    .join('\n')
}

async function decide({ id, file, source, contracts }: Trial): Promise<Verdict> {
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
    const files = await suitesFor(contract)
    const killer = await withCode(contract, code, async () => {
      for (const suite of files) {
        const failed = await suite.run()
        if (failed != null) return failed
      }
      return undefined
    })
    if (killer != null) return { id, outcome: 'killed', killer }
  }
  if (isSame) return { id, outcome: 'equivalent' }
  const killer = await failingInSolidity({ file, source, contracts })
  return killer == null ? { id, outcome: 'survived' } : { id, outcome: 'killed', killer }
}

for (const file of suiteFiles()) {
  const suite = await loadSuite(file)
  // Twice: a file that cannot be run again would kill every mutant.
  for (let round = 0; round < 2; round++) {
    const failed = await suite.run()
    if (failed != null) throw new Error(`without a mutant, this fails: ${failed}`)
  }
  suites.push(suite)
}
process.on('message', (trial: Trial) => {
  void decide(trial)
    .catch((error: unknown): Failure => ({ error: String(error) }))
    .then(answer => process.send?.(answer))
})
process.send?.('ready')
