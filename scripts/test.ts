/** `npm test`: contracts' fuzz and invariant tests, then every mocha test, then one line of counts. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runNode } from '#scripts/process/run.ts'

const HELP = `Usage: npm test [-- FILE ...] [--skip-solidity]

Runs the contracts' fuzz and invariant tests in Solidity, then mocha over test/**/*.test.ts, which deploys the committed
bytecode; or mocha alone over the files named (globs allowed). Ends with "N passed, N failed, N skipped".`

/** Counts of one part. */
interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const HARDHAT = 'node_modules/hardhat/dist/src/cli.js'
const OFFLINE = { HARDHAT_DISABLE_TELEMETRY: '1' }

/** Runs the Solidity tests; Hardhat prints `N passing` and `N failing`. */
async function solidityTests(): Promise<Counts> {
  const { code, output } = await runNode([HARDHAT, 'test', 'solidity'], { echo: true, env: OFFLINE })
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? 0)
  const failed = count('failing')
  return { passed: count('passing'), failed: code === 0 ? failed : Math.max(1, failed), skipped: 0 }
}

/** Runs mocha; a run that dies without counting is one failure. */
async function mochaTests(files: readonly string[]): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-test-'))
  const path = join(folder, 'counts.json')
  try {
    const { code } = await runNode(['node_modules/mocha/bin/mocha.js', '--reporter', './test/reporter.ts', ...files], {
      echo: true,
      env: { ...OFFLINE, SALUS_TEST_COUNTS: path }
    })
    const counts = JSON.parse(await readFile(path, 'utf8').catch(() => '{"passed":0,"failed":0,"skipped":0}')) as Counts
    return { ...counts, failed: code === 0 ? counts.failed : Math.max(1, counts.failed) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false }, 'skip-solidity': { type: 'boolean', default: false } }
})
if (values.help) {
  console.log(HELP)
} else {
  const parts: Counts[] = []
  if (positionals.length === 0 && !values['skip-solidity']) parts.push(await solidityTests())
  parts.push(await mochaTests(positionals.length > 0 ? positionals : ['test/**/*.test.ts']))
  const total = (key: keyof Counts): number => parts.reduce((sum, part) => sum + part[key], 0)
  console.log(
    `${String(total('passed'))} passed, ${String(total('failed'))} failed, ${String(total('skipped'))} skipped`
  )
  process.exitCode = total('failed') === 0 && total('passed') > 0 ? 0 : 1
}
