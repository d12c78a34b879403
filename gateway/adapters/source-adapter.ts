/** A source of readings that can begin anywhere (gateway/ports.ts) as an adapter. */
import { codeOf } from '#gateway/adapters/failure.ts'
import type { AdapterHealth, Arrival, SensorAdapter } from '#gateway/adapters/adapter.ts'
import type { ReadingSource } from '#gateway/ports.ts'

/** What the adapter says of itself. */
export interface SourceAdapterInit {
  readonly kind: string
  readonly device: string
  readonly mdc: readonly number[]
}

/** Makes an adapter of a source. */
export function createSourceAdapter(source: ReadingSource, init: SourceAdapterInit): SensorAdapter {
  const { kind, device, mdc } = init
  let state: AdapterHealth['state'] = 'closed'
  let failure: string | undefined
  let lastArrivalMs: number | null = null
  let arrivals = 0
  let closing = new AbortController()
  return {
    kind,
    async *discover() {
      await Promise.resolve()
      yield { device, kind, mdc }
    },
    async open() {
      await Promise.resolve()
      closing = new AbortController()
      failure = undefined
      state = 'open'
    },
    async *frames({ signal, from = 0 }) {
      const either = AbortSignal.any([signal, closing.signal])
      try {
        for await (const { next, readings } of source.arrivals(from, either)) {
          if (either.aborted) return
          const receivedAtMs = readings[0]?.receivedAtMs ?? lastArrivalMs ?? 0
          lastArrivalMs = receivedAtMs
          arrivals++
          yield { device, receivedAtMs, readings, next } satisfies Arrival
        }
        if (!either.aborted) state = 'ended'
      } catch (error) {
        state = 'failed'
        failure = codeOf(error)
        throw error
      }
    },
    async close() {
      await Promise.resolve()
      closing.abort()
      state = 'closed'
    },
    health() {
      const counts = { lastArrivalMs, arrivals, refused: {}, dropped: 0, queued: 0, capacity: 0 }
      return failure == null ? { state, ...counts } : { state, failure, ...counts }
    }
  }
}
