import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join, posix } from 'node:path'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { suiteFiles } from '#scripts/mutate/suites.ts'
import { ROOT } from '#scripts/process/run.ts'

/** A source of the product that mutants are made of. */
export interface Source {
  /** Relative to the project's folder. */
  readonly path: string
  readonly text: string
  /** Deployed contracts that hold its code, the smallest first. */
  readonly contracts: readonly string[]
  /** Changes with the source and with everything compiled together with it. */
  readonly hash: string
}

/** What stands in the place of a file's name where a test in Solidity failed. */
const IN_SOLIDITY = 'solidity'
const IMPORT = /^import\b[^;]*?["'](\.[^"']+)["'];/gm

/** The sources under contracts/ that have code and of which some is deployed. */
export function readSources(): Source[] {
  const texts = new Map(
    readdirSync(join(ROOT, 'contracts'), { recursive: true })
      .map(name => `contracts/${String(name).replaceAll('\\', '/')}`)
      .filter(path => path.endsWith('.sol'))
      .map(path => [path, readFileSync(join(ROOT, path), 'utf8')])
  )
  const deployed = CONTRACT_NAMES.map(name => ({ name, parts: closure(`contracts/${name}.sol`, texts) })).sort(
    (a, b) => sizeOf(a.parts, texts) - sizeOf(b.parts, texts)
  )
  return [...texts]
    .filter(([path]) => !path.startsWith('contracts/interfaces/'))
    .map(([path, text]) => {
      const holders = deployed.filter(({ parts }) => parts.has(path))
      const parts = [...new Set(holders.flatMap(({ parts }) => [...parts]))].sort()
      const hash = hashOf(parts.map(part => `${part}\n${texts.get(part) ?? ''}`))
      return { path, text, contracts: holders.map(({ name }) => name), hash }
    })
    .filter(({ contracts }) => contracts.length > 0)
}

/** Changes with any test of the contracts, and what the tests are made of. */
export function testsHash(): string {
  const folder = join(ROOT, 'test/contracts')
  const helpers = readdirSync(folder, { recursive: true })
    .map(String)
    .filter(file => /(?<!\.test)\.ts$/.test(file))
  const files = [...helpers, ...suiteFiles()].sort().map(file => join(folder, file))
  return hashOf([testHash(IN_SOLIDITY), ...files.map(file => readFileSync(file, 'utf8'))])
}

/** Changes with one test file, or with any of those in Solidity. */
export function testHash(file: string): string {
  const folder = join(ROOT, file === IN_SOLIDITY ? 'test/solidity' : 'test/contracts')
  const names = file === IN_SOLIDITY ? readdirSync(folder).sort() : [file]
  return hashOf(
    names.filter(name => existsSync(join(folder, name))).map(name => readFileSync(join(folder, name), 'utf8'))
  )
}

/** A source and all that it imports, from this folder. */
function closure(path: string, texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  const found = new Set<string>()
  const add = (one: string): void => {
    const text = texts.get(one)
    if (text == null || found.has(one)) return
    found.add(one)
    for (const [, imported] of text.matchAll(IMPORT)) add(posix.join(posix.dirname(one), imported ?? ''))
  }
  add(path)
  return found
}

function sizeOf(parts: ReadonlySet<string>, texts: ReadonlyMap<string, string>): number {
  return [...parts].reduce((sum, part) => sum + (texts.get(part)?.length ?? 0), 0)
}

function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${String(part.length)}\n${part}`)
  return hash.digest('hex').slice(0, 16)
}
