import { setTimeout as pause } from 'node:timers/promises'

const TIMEOUT_MS = 20_000

/** Waits until a condition holds; fails if it does not for twenty seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}.`)
    await pause(1)
  }
}
