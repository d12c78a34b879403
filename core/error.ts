/**
 * The one error class of Salus. `code` is stable and documented in `docs/errors.md`; `message` says what happened and
 * what to do, in words a person understands, and never holds personal or health data.
 */
export class SalusError extends Error {
  /** Stable code, `AREA_PROBLEM`, for example `ENTRY_TRUNCATED`. */
  readonly code: string

  /**
   * @param code - stable code, listed in `docs/errors.md`
   * @param message - what happened and what to do
   * @param options - `cause`, where another error led to this one
   */
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'SalusError'
    this.code = code
  }
}

/** Tells whether a value is a {@link SalusError}, of a given code if one is named. */
export function isSalusError(value: unknown, code?: string): value is SalusError {
  return value instanceof SalusError && (code == null || value.code === code)
}
