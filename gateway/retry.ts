/** Trying again with growing pauses, for as long as the gateway runs. */
import { setTimeout as pause } from 'node:timers/promises'
import { isSalusError } from '#core/error.ts'
import type { Log } from '#node/log.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/** What a step that may fail is told. */
export interface RetryInit {
  /** What is tried, for the log. */
  readonly what: string
  readonly log: Log
  readonly signal: AbortSignal
  /** Codes that no waiting cures: they are thrown. */
  readonly fatal?: readonly string[]
}

/**
 * Runs a step until it succeeds. A refusal (`SalusError`) is logged by its code and tried again, for the world may change:
 * a node comes back, the chain catches up, the patient sends keys. Any other error is a fault and ends it.
 *
 * @returns undefined if the signal ended it
 */
export async function untilDone<T>(
  step: () => Promise<T>,
  { what, log, signal, fatal = [] }: RetryInit
): Promise<T | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await step()
    } catch (error) {
      if (!isSalusError(error) || fatal.includes(error.code)) throw error
      log.warn({ code: error.code, pauseMs }, `${what}: ${error.message}`)
    }
    await pause(pauseMs, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}
