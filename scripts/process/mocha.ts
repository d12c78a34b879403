import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runNode } from '#scripts/process/run.ts'

/** How many tests did what. */
export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const MOCHA = 'node_modules/mocha/bin/mocha.js'
const REPORTER = ['--reporter', './test/reporter.ts']

/** Most tests wait more than they work. */
const JOBS = Math.max(2, availableParallelism())

/**
 * Runs mocha over some files (globs allowed) with its output shown; a run that dies without counting is one failure.
 *
 * @param jobs - so many files at once; 1 for tests that share something, such as a chain
 */
export async function runMocha(
  files: readonly string[],
  { env = {}, jobs = JOBS }: { env?: Record<string, string>; jobs?: number } = {}
): Promise<TestCounts> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-test-'))
  const path = join(folder, 'counts.json')
  try {
    const parallel = jobs === 1 ? [] : ['--parallel', '--jobs', String(jobs)]
    const { code } = await runNode([MOCHA, ...REPORTER, ...parallel, ...files], {
      echo: true,
      env: { HARDHAT_DISABLE_TELEMETRY: '1', ...env, SALUS_TEST_COUNTS: path }
    })
    const none = '{"passed":0,"failed":0,"skipped":0}'
    const counts = JSON.parse(await readFile(path, 'utf8').catch(() => none)) as TestCounts
    return { ...counts, failed: code === 0 ? counts.failed : Math.max(1, counts.failed) }
  } finally {
    await rm(folder, { recursive: true })
  }
}
