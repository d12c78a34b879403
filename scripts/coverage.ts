/** `npm run coverage`: which lines of the contracts the tests run, and which outcomes of their conditions. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { coverageOf, readLcov, type FileCoverage, type Gap, type Share } from '#scripts/coverage/figures.ts'
import { layOutTree } from '#scripts/coverage/tree.ts'
import { ROOT, runNode } from '#scripts/process/run.ts'

const HELP = `Usage: npm run coverage [-- --json]

Runs the contracts' tests, in TypeScript and in Solidity, over an instrumented copy of contracts/ in .cache, and prints for each
source the lines that ran and the branches that were taken: two for each condition and each operand of && and ||.
Exits 1 where something was not reached that test/contracts/unreached.json does not explain, or explains for nothing.

  --json  print one JSON object instead of the table`

/** Where the copy lies. Its artifacts lie beside it: code with counters in it is never mistaken for the product's. */
const TREE = '.cache/coverage'
const HARDHAT = 'node_modules/hardhat/dist/src/cli.js'

interface Excuse extends Omit<Gap, 'line'> {
  readonly reason: string
}

const isExcused = (gap: Gap, { file, what, text }: Excuse): boolean =>
  gap.file === file && gap.what === what && gap.text === text
const percent = ({ hit, of }: Share): string => `${String(hit)}/${String(of)}`.padStart(9)
const sum = (files: readonly FileCoverage[], part: 'lines' | 'branches'): Share => ({
  hit: files.reduce((total, file) => total + file[part].hit, 0),
  of: files.reduce((total, file) => total + file[part].of, 0)
})

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } }
})
if (values.help) {
  console.log(HELP)
} else {
  const sources = await layOutTree(TREE)
  await rm(join(ROOT, 'coverage'), { recursive: true, force: true })
  const { code, output } = await runNode([HARDHAT, 'test', '--coverage'], {
    env: { HARDHAT_DISABLE_TELEMETRY: '1', SALUS_COVERAGE: '1' }
  })
  if (code !== 0) console.error(output)
  const hits = readLcov(await readFile(join(ROOT, 'coverage/lcov.info'), 'utf8').catch(() => ''))
  const files = sources
    .map(source => coverageOf(source, hits.get(`${TREE}/${source.path}`) ?? new Map<number, number>()))
    .filter(({ lines, branches }) => lines.of + branches.of > 0)
  const gaps = files.flatMap(file => file.gaps)
  const excuses = JSON.parse(await readFile(join(ROOT, 'test/contracts/unreached.json'), 'utf8')) as Excuse[]
  const unexplained = gaps.filter(gap => !excuses.some(excuse => isExcused(gap, excuse)))
  const stale = excuses.filter(excuse => !gaps.some(gap => isExcused(gap, excuse)))
  const total = { lines: sum(files, 'lines'), branches: sum(files, 'branches') }
  const ok = code === 0 && files.length > 0 && unexplained.length + stale.length === 0
  if (values.json) {
    console.log(JSON.stringify({ ok, testsPassed: code === 0, total, files, unexplained, stale }))
  } else if (code !== 0) {
    console.error('The tests failed, so there are no figures.')
  } else {
    for (const { file, lines, branches } of files) {
      console.log(`${percent(lines)} lines ${percent(branches)} branches  ${file}`)
    }
    console.log(`${percent(total.lines)} lines ${percent(total.branches)} branches  in all`)
    for (const { file, line, what, text } of unexplained) {
      console.error(`${file}:${String(line)}: ${what === 'line' ? 'never run' : what}: ${text}`)
    }
    for (const { file, what, text } of stale) {
      console.error(`unreached.json explains for nothing: ${file}: ${what}: ${text}`)
    }
  }
  process.exitCode = ok ? 0 : 1
}
