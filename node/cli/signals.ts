/** Runs a live thing as a process: one `ready` line, a clean stop on SIGTERM and SIGINT, an error when it dies by itself. */

/** What is run. */
export interface Runnable {
  /** Returns what the `ready` line says. */
  start(): Promise<Readonly<Record<string, unknown>>>
  stop(): Promise<void>
}

/**
 * Starts it, prints `{"event":"ready",…}` on standard output and waits for a signal. The same signal a second time ends the process at once: a terminal's SIGINT and a
 * supervisor's SIGTERM may both come and mean one stop.
 *
 * @param make - receives how the thing says that it died by itself
 */
export async function runUntilSignal(
  make: (died: (error: Error) => void) => Promise<Runnable> | Runnable
): Promise<void> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<undefined>()
  // Its failure is seen below; until then it must not count as unhandled.
  ended.catch(() => undefined)
  const runnable = await make(reject)
  const seen = new Set<NodeJS.Signals>()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (seen.has(signal)) process.exit(1)
    seen.add(signal)
    resolve(undefined)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  try {
    const ready = await Promise.race([runnable.start(), ended])
    if (ready != null) {
      console.log(JSON.stringify({ event: 'ready', ...ready }))
      await ended
    }
  } finally {
    await runnable.stop()
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
  }
}
