import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Trial } from '#scripts/mutate/protocol.ts'
import { ROOT, runNode } from '#scripts/process/run.ts'

/** What mocha does not notice, fuzz and invariants may; slow, as Hardhat compiles all anew, so the last resort. */
export async function failingInSolidity({ file, source, contracts }: Trial): Promise<string | undefined> {
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
