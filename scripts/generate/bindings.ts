import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTypeChain } from 'typechain'
import type { CompiledContract } from '#scripts/generate/compile.ts'
import { GENERATED_HEADER } from '#scripts/generate/header.ts'

/**
 * TypeChain's types for ethers v6, by file name. Its factories and barrels are left out: they would bring ethers and
 * the contracts' code into `core` and the browser.
 */
export async function renderBindings(contracts: readonly CompiledContract[]): Promise<ReadonlyMap<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-bindings-'))
  try {
    const abiFiles = contracts.map(contract => join(directory, `${contract.name}.json`))
    for (const [i, contract] of contracts.entries()) await writeFile(abiFiles[i] ?? '', JSON.stringify(contract.abi))
    await runTypeChain({
      cwd: directory,
      filesToProcess: abiFiles,
      allFiles: abiFiles,
      outDir: 'types',
      target: 'ethers-v6'
    })
    const names = [...contracts.map(contract => contract.name), 'common']
    const files = new Map<string, string>()
    for (const name of names) {
      files.set(`${name}.ts`, adapt(await readFile(join(directory, 'types', `${name}.ts`), 'utf8')))
    }
    return files
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Makes the output what this project's compiler options ask for. */
function adapt(source: string): string {
  const text = source
    // Its own header and lint switches; ours follows.
    .replace(/^(?:\/\*.*\*\/\n)+/, '')
    // Node resolves no extensionless imports.
    .replaceAll(/from "\.\/common"/g, 'from "./common.ts"')
    // A stray semicolon in a namespace of types makes it one of values, which type stripping refuses.
    .replaceAll(/^(\s*export interface OutputObject \{[^}]*\});?$/gm, '$1')
    .replaceAll(/^\s*;$/gm, '')
  return `${GENERATED_HEADER}\n${text}`
}
