import type { TestCounts } from '#scripts/process/mocha.ts'

/** Tests against software that is not ours, and that a machine may not have. */
export interface Suite {
  readonly name: string
  /** What it proves, in one line. */
  readonly about: string
  /** Gets ready what it needs; says why it cannot run here, if it cannot. */
  readonly prepare: (progress: (text: string) => void) => Promise<{ readonly missing: string } | undefined>
  /** Runs the tests; their own output goes to standard output. */
  readonly run: () => Promise<TestCounts>
}
