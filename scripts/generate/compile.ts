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
  /** The code on the chain with every immutable set to zero, `0x…`, and its keccak-256. */
  readonly runtimeCode: string
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
  readonly sourceLocation?: Location
}

/** Where in the sources, in bytes. */
export interface Location {
  readonly file: string
  readonly start: number
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
 * @param changed - texts that take the place of sources, by path; warnings are then let pass
 * @param libraries - addresses of libraries that are linked, by name, by the path of their source
 * @throws Error with the compiler's words if there is an error, or a warning about one of the project's own sources
 */
export function compileContracts(
  folders: readonly string[],
  packaged: readonly string[] = [],
  only: readonly string[] = [],
  changed?: ReadonlyMap<string, string>,
  libraries: Readonly<Record<string, Readonly<Record<string, string>>>> = {}
): Compilation {
  const paths = [...folders.flatMap(solidityFiles), ...packaged].sort()
  const outputs = ['abi', 'evm.bytecode.object', 'evm.deployedBytecode']
  const output = runCompiler(paths, changed, {
    ...SOLC_SETTINGS,
    libraries,
    outputSelection: {
      '*': Object.fromEntries((only.length > 0 ? only : ['*']).map(name => [name, outputs]))
    }
  })
  const problems = (output.errors ?? []).filter(
    problem => isOurs(problem) && (changed == null || problem.severity === 'error')
  )
  if (problems.length > 0) throw new Error(problems.map(problem => problem.formattedMessage).join('\n'))
  return {
    solc: compiler().version(),
    contracts: new Map(
      paths.map(path => {
        const found = Object.entries(output.contracts?.[path] ?? {})
        return [path, contractsOf(found.filter(([name]) => only.length === 0 || only.includes(name)))]
      })
    )
  }
}

/** Where the compiler finds errors in a source and in what it imports; makes no code, which takes most of its time. */
export function errorsIn(path: string, changed: ReadonlyMap<string, string>): readonly (Location | undefined)[] {
  const { errors = [] } = runCompiler([path], changed, { outputSelection: { '*': { '*': ['abi'] } } })
  return errors.filter(({ severity }) => severity === 'error').map(({ sourceLocation }) => sourceLocation)
}

function compiler(): Solc {
  return createRequire(import.meta.url)('solc') as Solc
}

function runCompiler(
  paths: readonly string[],
  changed: ReadonlyMap<string, string> | undefined,
  settings: object
): SolcOutput {
  const read = (path: string): string => changed?.get(path) ?? readSource(path)
  const sources = Object.fromEntries(paths.map(path => [path, { content: read(path) }]))
  const input = JSON.stringify({ language: 'Solidity', sources, settings })
  return JSON.parse(compiler().compile(input, { import: path => ({ contents: read(path) }) })) as SolcOutput
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
    runtimeCode: `0x${evm.deployedBytecode.object}`,
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
