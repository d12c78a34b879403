import { setTimeout as pause } from 'node:timers/promises'
import { SalusError } from '#core/error.ts'

const INTERVAL_MS = 100

/**
 * Waits until a condition holds.
 *
 * @throws SalusError `STORY_WAITED` if it does not hold after `timeoutMs`
 */
export async function until(what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new SalusError('STORY_WAITED', `Waited ${String(timeoutMs / 1000)} s in vain until ${what}.`)
    }
    await pause(INTERVAL_MS)
  }
}
