/** What a worker is asked. It answers with one {@link Verdict} or {@link Failure} each. */
export interface Trial {
  readonly id: string
  /** Source that is changed, relative to the project's folder, and its new text. */
  readonly file: string
  readonly source: string
  /** Deployed contracts that hold code of the source; each is tried until one shows the change. */
  readonly contracts: readonly string[]
  /** A source that holds this mutant beside others, and its number there; none if it must be compiled alone. */
  readonly switched?: { readonly source: string; readonly number: number } | undefined
  /** Whether the tests in Solidity are run too, where all others pass. */
  readonly inSolidity: boolean
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
