/** What the doctor finds: how things are and what to do about it. */

/** One finding. */
export interface Finding {
  /** What was looked at, for example `disk room`. */
  readonly check: string
  readonly level: 'ok' | 'warn' | 'fail'
  /** How it is. */
  readonly says: string
  /** What to do; nothing where all is well. */
  readonly todo?: string
}

/** All is well. */
export function ok(check: string, says: string): Finding {
  return { check, level: 'ok', says }
}

/** Works, but not for long or not as it should. */
export function warn(check: string, says: string, todo: string): Finding {
  return { check, level: 'warn', says, todo }
}

/** The node cannot run, or loses something. */
export function fail(check: string, says: string, todo: string): Finding {
  return { check, level: 'fail', says, todo }
}
