/** `npm test`: contracts' fuzz and invariant tests, then every mocha test, then one line of counts. */
import { parseArgs } from 'node:util'
import { runMocha, type TestCounts } from '#scripts/process/mocha.ts'
import { runNode } from '#scripts/process/run.ts'

const HELP = `Usage: npm test [-- FILE ...] [--skip-solidity]

Runs the contracts' fuzz and invariant tests in Solidity, then mocha over test/**/*.test.ts, which deploys the committed
bytecode; or mocha alone over the files named (globs allowed). Ends with "N passed, N failed, N skipped".`

const HARDHAT = 'node_modules/hardhat/dist/src/cli.js'
const OFFLINE = { HARDHAT_DISABLE_TELEMETRY: '1' }

/** Runs the Solidity tests; Hardhat prints `N passing` and `N failing`. */
async function solidityTests(): Promise<TestCounts> {
  const { code, output } = await runNode([HARDHAT, 'test', 'solidity'], { echo: true, env: OFFLINE })
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? 0)
  const failed = count('failing')
  return { passed: count('passing'), failed: code === 0 ? failed : Math.max(1, failed), skipped: 0 }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false }, 'skip-solidity': { type: 'boolean', default: false } }
})
if (values.help) {
  console.log(HELP)
} else {
  const parts: TestCounts[] = []
  if (positionals.length === 0 && !values['skip-solidity']) parts.push(await solidityTests())
  parts.push(await runMocha(positionals.length > 0 ? positionals : ['test/**/*.test.ts']))
  const total = (key: keyof TestCounts): number => parts.reduce((sum, part) => sum + part[key], 0)
  console.log(
    `${String(total('passed'))} passed, ${String(total('failed'))} failed, ${String(total('skipped'))} skipped`
  )
  process.exitCode = total('failed') === 0 && total('passed') > 0 ? 0 : 1
}
