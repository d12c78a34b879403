import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Mocha from 'mocha'
import { ROOT } from '#scripts/process/run.ts'

/** A test file that can be run again and again in one process. */
export interface Suite {
  readonly file: string
  /** The first failure, `undefined` if all tests pass; `only` are the full titles of those to run, all by default. */
  run(only?: ReadonlySet<string>): Promise<Failed | undefined>
}

/** What failed. */
export interface Failed {
  readonly file: string
  /** Full title of the test, also where a hook before it failed; none if that was not for one test. */
  readonly test: string | undefined
  /** The file, a colon, and the full title of the test or the hook. */
  readonly name: string
}

/** How long one test may take; a mutant that runs on for ever is found so. */
const TEST_TIMEOUT_MS = 20_000
/** Gas is no behaviour: almost every mutant would change it. */
const NO_BEHAVIOUR = /^gas\b/

/** The test files of the contracts, relative to their folder. */
export function suiteFiles(): string[] {
  return readdirSync(join(ROOT, 'test/contracts'), { recursive: true })
    .map(String)
    .filter(file => file.endsWith('.test.ts') && !NO_BEHAVIOUR.test(file))
    .sort()
}

/** Loads a test file; it may be loaded once only in a process. */
export async function loadSuite(file: string): Promise<Suite> {
  const mocha = new Mocha({ bail: true, timeout: TEST_TIMEOUT_MS, reporter: Mocha.reporters.Base })
  mocha.cleanReferencesAfterRun(false)
  mocha.addFile(join(ROOT, 'test/contracts', file))
  await mocha.loadFilesAsync()
  return {
    file,
    run: only =>
      new Promise(resolve => {
        let first: Failed | undefined
        if (only == null) delete mocha.options.grep
        else mocha.grep(new RegExp(`^(${[...only].map(escaped).join('|')})$`))
        const runner = mocha.run(() => {
          resolve(first)
        })
        runner.on('fail', (failed: Mocha.Test | Mocha.Hook) => {
          const test = failed.type === 'hook' ? failed.ctx?.currentTest : failed
          first ??= { file, test: test?.fullTitle(), name: `${file}: ${failed.fullTitle()}` }
        })
      })
  }
}

function escaped(title: string): string {
  return title.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
}
