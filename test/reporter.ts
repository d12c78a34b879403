import { writeFileSync } from 'node:fs'
import mocha, { type MochaOptions, type Runner } from 'mocha'

/** mocha's `spec`, which also leaves its counts as JSON in the file that `SALUS_TEST_COUNTS` names. */
class CountingSpec extends mocha.reporters.Spec {
  constructor(runner: Runner, options?: MochaOptions) {
    super(runner, options)
    const path = process.env['SALUS_TEST_COUNTS']
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats ?? { passes: 0, failures: 0, pending: 0 }
      if (path != null) writeFileSync(path, JSON.stringify({ passed: passes, failed: failures, skipped: pending }))
    })
  }
}

// mocha loads reporters with `require`, which hands out this name of an ES module instead of its namespace.
export { CountingSpec as 'module.exports' }
