import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { apiDocument, renderApiTypes } from '#scripts/generate/api-types.ts'
import { compileContracts, type CompiledContract } from '#scripts/generate/compile.ts'
import { renderBindings } from '#scripts/generate/bindings.ts'
import { renderConfigPages } from '#scripts/generate/config-page.ts'
import { DEFINITIONS_PATH, renderFhirDefinitions } from '#scripts/generate/fhir-definitions.ts'
import { GENERATED_HEADER } from '#scripts/generate/header.ts'
import { ROOT } from '#scripts/process/run.ts'

/** Folders that hold generated files and nothing else of the same ending. */
const OUTPUT_FOLDERS = ['core/abi/types', 'core/fhir/definitions', 'contracts/bytecode', 'test/contracts/bytecode']

/** What is deployed as OpenZeppelin wrote it: who governs, and the verifiers of P-256 and passkey signatures. */
export const PACKAGED: readonly string[] = [
  '@openzeppelin/contracts/access/manager/AccessManager.sol',
  '@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol',
  '@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol'
]

/** Stand among the names of contracts for the definitions of FHIR, the pages of a node's configuration, and the types of its API. */
const FHIR = 'fhir'
const CONFIG = 'config'
const API = 'api'

/** Contracts that only tests deploy. */
const TEST_SOURCES = ['test/contracts/mocks']

/**
 * Every generated file's text, by its path relative to the project's folder.
 *
 * @param only - contracts of the product whose files alone are wanted, {@link FHIR}, {@link CONFIG} or {@link API}; all by default
 */
export async function renderFiles(only: readonly string[] = []): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  if (only.length === 0 || only.includes(FHIR)) {
    files.set(DEFINITIONS_PATH, await formatted(DEFINITIONS_PATH, await renderFhirDefinitions()))
  }
  if (only.length === 0 || only.includes(CONFIG)) {
    for (const [path, text] of renderConfigPages())
      files.set(path, path.endsWith('.md') ? text : await formatted(path, text))
  }
  if (only.length === 0 || only.includes(API)) {
    const document = apiDocument()
    for (const [path, text] of [
      ['docs/reference/openapi.json', JSON.stringify(document)],
      ['node/http/client-types.ts', renderApiTypes(document)]
    ] as const) {
      files.set(path, await formatted(path, text))
    }
  }
  if (only.length > 0 && only.every(name => [FHIR, CONFIG, API].includes(name))) return files
  const product = compileContracts(['contracts'], PACKAGED, only)
  // What is deployed lies in the top folder; below it are interfaces and libraries, which are compiled in.
  const deployed = [...product.contracts]
    .filter(([path]) => PACKAGED.includes(path) || /^contracts\/[^/]+\.sol$/.test(path))
    .flatMap(([, contracts]) => contracts)
    .filter(contract => contract.creationCode !== '0x')
  // The verifiers are called by contracts alone, which know their interface.
  const called = deployed.filter(({ name }) => !name.startsWith('ERC7913'))
  for (const contract of deployed) {
    files.set(`contracts/bytecode/${contract.name}.json`, await renderBytecode(contract, product.solc))
  }
  for (const contract of called) files.set(`core/abi/${contract.name}.ts`, await renderAbi(contract))
  for (const [name, text] of await renderBindings(called)) files.set(`core/abi/types/${name}`, text)

  if (only.length > 0) return files
  const forTests = compileContracts(TEST_SOURCES)
  for (const contract of [...forTests.contracts.values()].flat()) {
    files.set(`test/contracts/bytecode/${contract.name}.json`, await renderBytecode(contract, forTests.solc))
  }
  return files
}

/**
 * Paths whose committed text is not `files`'.
 *
 * @param isPart - whether `files` are a part only; otherwise paths that should be gone are stale too
 */
export async function staleFiles(files: ReadonlyMap<string, string>, isPart: boolean): Promise<string[]> {
  const stale = isPart ? [] : await leftOver(files)
  for (const [path, text] of files) {
    const committed = await readFile(join(ROOT, path), 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    })
    if (committed !== text) stale.push(path)
  }
  return stale.sort()
}

/** Writes all files and removes those no longer generated. */
export async function writeFiles(files: ReadonlyMap<string, string>): Promise<void> {
  for (const path of await leftOver(files)) await rm(join(ROOT, path))
  await updateFiles(files)
}

/** Writes these files and leaves the others. */
export async function updateFiles(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true })
    await writeFile(join(ROOT, path), text)
  }
}

async function leftOver(files: ReadonlyMap<string, string>): Promise<string[]> {
  const present: string[] = []
  for (const folder of OUTPUT_FOLDERS) {
    await mkdir(join(ROOT, folder), { recursive: true })
    for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) present.push(relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    }
  }
  return present.filter(path => !files.has(path))
}

async function renderAbi({ name, abi }: CompiledContract): Promise<string> {
  const constant = `${name.charAt(0).toLowerCase()}${name.slice(1)}Abi`
  return formatted(
    `core/abi/${name}.ts`,
    `${GENERATED_HEADER}

/** ABI of the contract \`${name}\`; its interface says what everything in it means. */
export const ${constant} = ${JSON.stringify(abi)} as const
`
  )
}

async function renderBytecode(contract: CompiledContract, solc: string): Promise<string> {
  const { name, creationCode, runtimeHash, immutables } = contract
  const generated = 'Generated by npm run generate; do not edit.'
  return formatted(
    'bytecode.json',
    JSON.stringify({ generated, contractName: name, solc, creationCode, runtimeHash, immutables })
  )
}

async function formatted(path: string, text: string): Promise<string> {
  const filepath = join(ROOT, path)
  return format(text, { ...(await resolveConfig(filepath)), filepath })
}
