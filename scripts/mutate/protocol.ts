/** What a worker is asked. It answers with one {@link Verdict} or {@link Failure} each. */
export interface Trial {
  readonly id: string
  /** Source that is changed, relative to the project's folder, and its new text. */
  readonly file: string
  readonly source: string
  /** Deployed contracts that hold code of the source; each is tried until one shows the change. */
  readonly contracts: readonly string[]
  /** Where this mutant stands beside others; nothing if it must be compiled alone. */
  readonly switched?: Numbered | undefined
  /** Whether the tests in Solidity are run too, where all others pass. */
  readonly inSolidity: boolean
}

/** One of many mutants in the same code. */
export interface Numbered {
  /** Tells these sources from others. */
  readonly group: string
  /** The sources that hold them, by path. */
  readonly sources: Readonly<Record<string, string>>
  readonly number: number
}

/** What became of a mutant. */
export type Outcome =
  /** A test failed. */
  | 'killed'
  /** Every test passed. */
  | 'survived'
  /** The compiler made the same code of it. */
  | 'equivalent'
  /** It did not compile. */
  | 'invalid'

/** A worker's answer. */
export interface Verdict {
  readonly id: string
  readonly outcome: Outcome
  /** The test that failed, after its file and a colon. */
  readonly killer?: string
}

/** The trial itself went wrong, which says nothing about the mutant. */
export interface Failure {
  readonly error: string
}
