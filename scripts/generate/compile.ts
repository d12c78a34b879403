import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, sep } from 'node:path'
import type { JsonFragment } from 'ethers'
import { keccak256 } from 'ethers'
import { ROOT } from '#scripts/process/run.ts'

/** One contract as the compiler leaves it. */
export interface CompiledContract {
  readonly name: string
  readonly abi: readonly JsonFragment[]
  /** Creation code without the constructor's arguments, `0x…`. */
  readonly creationCode: string
  /** keccak-256 of the code on the chain with every immutable set to zero. */
  readonly runtimeHash: string
  /** Where immutables lie in the code on the chain, in bytes, in rising order. */
  readonly immutables: readonly { readonly start: number; readonly length: number }[]
}

/** What was compiled, and by which compiler. */
export interface Compilation {
  /** Full version of the compiler, with its commit. */
  readonly solc: string
  /** By the path of the source that holds it, then by name. */
  readonly contracts: ReadonlyMap<string, readonly CompiledContract[]>
}

interface Solc {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } | { error: string } }): string
  version(): string
}

interface SolcOutput {
  readonly errors?: readonly SolcProblem[]
  readonly contracts?: Record<string, Record<string, SolcContract>>
}

interface SolcProblem {
  readonly severity: string
  readonly formattedMessage: string
  readonly sourceLocation?: { readonly file: string }
}

interface SolcContract {
  readonly abi: readonly JsonFragment[]
  readonly evm: {
    readonly bytecode: { readonly object: string }
    readonly deployedBytecode: {
      readonly object: string
      readonly immutableReferences: Record<string, readonly { start: number; length: number }[]>
    }
  }
}

/**
 * Settings of every build. No metadata hash: the same sources give the same bytes wherever they are compiled.
 */
export const SOLC_SETTINGS = {
  evmVersion: 'osaka',
  viaIR: true,
  optimizer: { enabled: true, runs: 200 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' }
} as const

/**
 * Compiles sources with the compiler from npm, in this process.
 *
 * @param folders - folders with the sources, relative to the project's
 * @param packaged - further sources, from npm packages, for example `@openzeppelin/contracts/…/X.sol`
 * @param only - contracts to make code of, all by default; the others are looked through for errors alone
 * @throws Error with the compiler's words if there is an error, or a warning about one of the project's own sources
 */
export function compileContracts(
  folders: readonly string[],
  packaged: readonly string[] = [],
  only: readonly string[] = []
): Compilation {
  const solc = createRequire(import.meta.url)('solc') as Solc
  const paths = [...folders.flatMap(solidityFiles), ...packaged].sort()
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(paths.map(path => [path, { content: readSource(path) }])),
    settings: {
      ...SOLC_SETTINGS,
      outputSelection: {
        '*': Object.fromEntries(
          (only.length > 0 ? only : ['*']).map(name => [name, ['abi', 'evm.bytecode.object', 'evm.deployedBytecode']])
        )
      }
    }
  }
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), { import: path => ({ contents: readSource(path) }) })
  ) as SolcOutput
  const problems = (output.errors ?? []).filter(isOurs)
  if (problems.length > 0) throw new Error(problems.map(problem => problem.formattedMessage).join('\n'))
  return {
    solc: solc.version(),
    contracts: new Map(
      paths.map(path => {
        const found = Object.entries(output.contracts?.[path] ?? {})
        return [path, contractsOf(found.filter(([name]) => only.length === 0 || only.includes(name)))]
      })
    )
  }
}

/** Errors, and warnings about this project's own sources: those of a package are its authors' to mend. */
function isOurs({ severity, sourceLocation }: SolcProblem): boolean {
  return severity === 'error' || sourceLocation?.file.startsWith('@') !== true
}

function contractsOf(compiled: readonly (readonly [string, SolcContract])[]): CompiledContract[] {
  return compiled.map(([name, { abi, evm }]) => ({
    name,
    abi,
    creationCode: `0x${evm.bytecode.object}`,
    runtimeHash: keccak256(`0x${evm.deployedBytecode.object}`),
    immutables: Object.values(evm.deployedBytecode.immutableReferences)
      .flat()
      .sort((a, b) => a.start - b.start)
  }))
}

function solidityFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.sol'))
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

function readSource(path: string): string {
  return readFileSync(join(ROOT, path.startsWith('@') ? 'node_modules' : '.', path), 'utf8')
}
