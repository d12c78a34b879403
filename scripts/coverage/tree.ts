import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { instrumentConditions, type Condition } from '#scripts/coverage/conditions.ts'
import { ROOT } from '#scripts/process/run.ts'

/** A contract's source as it was written. */
export interface MeasuredSource {
  /** Relative to the project's folder. */
  readonly path: string
  readonly lines: readonly string[]
  readonly conditions: readonly Condition[]
}

/** Lays out a folder with the contracts, instrumented, and the tests in Solidity, which import them from there. */
export async function layOutTree(tree: string): Promise<MeasuredSource[]> {
  const folder = join(ROOT, tree)
  await rm(join(folder, 'contracts'), { recursive: true, force: true })
  await rm(join(folder, 'test'), { recursive: true, force: true })
  await cp(join(ROOT, 'test/solidity'), join(folder, 'test/solidity'), { recursive: true })
  const measured: MeasuredSource[] = []
  for (const name of await readdir(join(ROOT, 'contracts'), { recursive: true })) {
    if (!name.endsWith('.sol')) continue
    const path = `contracts/${name}`
    const written = await readFile(join(ROOT, path), 'utf8')
    const { source, conditions } = instrumentConditions(path, written)
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), source)
    measured.push({ path, lines: written.split('\n'), conditions })
  }
  return measured.sort((a, b) => (a.path < b.path ? -1 : 1))
}
