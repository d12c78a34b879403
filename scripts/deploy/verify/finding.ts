/** One thing on the chain that is not as it should be. */
export interface Finding {
  /** Stable code, listed in docs/errors.md. */
  readonly code: string
  /** What it is about, for example a contract's name. */
  readonly subject: string
  readonly expected: string
  readonly found: string
}
