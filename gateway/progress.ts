import { setTimeout as pause } from 'node:timers/promises'
import type { GatewayState } from '#gateway/state.ts'

/** How long a loop rests at most before it looks again: clocks and risks move without anybody saying so. */
const LOOK_MS = 1000

/** What the loops of one gateway tell each other. */
export interface Progress {
  /** Everything of the sources is in a signed batch. */
  sourcesEnded: boolean
  /** The last batch whose root is on the chain under a super-root. */
  rootedBatch: number
  /** Says that something changed. */
  move(): void
  /** Waits until something changed, a while passed, or the signal. */
  moved(signal: AbortSignal): Promise<void>
  /** The last batch that the chain has, in whatever way. */
  anchoredBatch(state: GatewayState): number
}

/** Makes the progress of a gateway that has just started. */
export function createProgress(): Progress {
  let waiting: (() => void)[] = []
  const progress: Progress = {
    sourcesEnded: false,
    rootedBatch: 0,
    move() {
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
    },
    async moved(signal) {
      if (signal.aborted) return
      const done = new AbortController()
      const woken = new Promise<void>(resolve => waiting.push(resolve))
      const either = AbortSignal.any([signal, done.signal])
      await Promise.race([woken, pause(LOOK_MS, undefined, { signal: either }).catch(() => undefined)])
      done.abort()
    },
    anchoredBatch: ({ anchored }) => Math.max(anchored?.batch ?? 0, progress.rootedBatch)
  }
  return progress
}
