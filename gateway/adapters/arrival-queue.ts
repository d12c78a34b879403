/** A bounded queue between a source that pushes and the gateway that pulls. */
import type { Arrival } from '#gateway/adapters/adapter.ts'

/** Arrivals that wait. */
export interface ArrivalQueue {
  readonly size: number
  readonly dropped: number
  /** Adds an arrival; false, and counted, where the queue is full or ended: the oldest stay, so that the gap lies in one place. */
  push(arrival: Arrival): boolean
  /** No more will come: readers get what is there, then the end, or the error. */
  end(error?: Error): void
  /** Takes them out in order, for one reader at a time; stops with the signal. */
  take(signal: AbortSignal): AsyncIterable<Arrival>
}

/** Makes a queue. */
export function createArrivalQueue({ capacity }: { readonly capacity: number }): ArrivalQueue {
  const waiting: Arrival[] = []
  let dropped = 0
  let ended: { readonly error?: Error } | undefined
  let wake: () => void = () => undefined

  return {
    get size() {
      return waiting.length
    },
    get dropped() {
      return dropped
    },
    push(arrival) {
      if (ended != null || waiting.length >= capacity) {
        dropped++
        return false
      }
      waiting.push(arrival)
      wake()
      return true
    },
    end(error) {
      ended ??= error == null ? {} : { error }
      wake()
    },
    async *take(signal) {
      const stop = (): void => wake()
      signal.addEventListener('abort', stop)
      try {
        while (!signal.aborted) {
          const arrival = waiting.shift()
          if (arrival != null) yield arrival
          else if (ended == null) await new Promise<void>(resolve => (wake = resolve))
          else if (ended.error == null) return
          else throw ended.error
        }
      } finally {
        signal.removeEventListener('abort', stop)
      }
    }
  }
}
