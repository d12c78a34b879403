/** `npm run check`: everything about the tree that a machine can judge without running the product. */
import { parseArgs } from 'node:util'
import { runNode } from '#scripts/process/run.ts'

const SOURCES = ['core', 'node', 'gateway', 'agent', 'scripts', 'test', 'hardhat.config.ts']
const CHECKS: Record<string, readonly string[]> = {
  types: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
  'types of core': ['node_modules/typescript/bin/tsc', '-p', 'core/tsconfig.json'],
  lint: ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', ...SOURCES],
  'lint of contracts': ['node_modules/solhint/solhint.js', '--noPoster', '--max-warnings', '0', 'contracts/**/*.sol'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '.'],
  direction: ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', ...SOURCES],
  'unused code': ['node_modules/knip/bin/knip.js', '--no-progress'],
  'generated files': ['scripts/generate.ts', '--check'],
  'error codes': ['scripts/check/error-codes.ts'],
  'explained mutants': ['scripts/check/mutants.ts'],
  'tests cited by documents': ['scripts/check/cited-tests.ts'],
  'links in documents': ['scripts/check/links.ts']
}
const HELP = `Usage: npm run check [-- NAME ...] [--json]

Checks: ${Object.keys(CHECKS).join(', ')}. All of them without a name.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } }
})
const unknown = positionals.filter(name => !Object.hasOwn(CHECKS, name))
if (values.help || unknown.length > 0) {
  console.log(HELP)
  process.exitCode = values.help ? 0 : 2
} else {
  let failed = 0
  for (const [name, args] of Object.entries(CHECKS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    const begun = performance.now()
    const { code, output } = await runNode(args)
    const ms = Math.round(performance.now() - begun)
    if (code !== 0) failed++
    if (values.json) console.log(JSON.stringify({ check: name, ok: code === 0, ms }))
    else console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${(ms / 1000).toFixed(1)} s)`)
    if (code !== 0) console.error(output)
  }
  process.exitCode = failed === 0 ? 0 : 1
}
