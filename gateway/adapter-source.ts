/** A recording, opened by an adapter of files, as a source that the gateway draws from. */
import type { BatchRecord } from '#core/batch/record.ts'
import { encodeSegment } from '#core/signal/segment.ts'
import type { SensorAdapter } from '#gateway/adapters/adapter.ts'
import type { ReadingSource } from '#gateway/ports.ts'

/** How the adapter's arrivals are taken. */
export interface AdapterSourceInit {
  /** Name of its device. */
  readonly device: string
  /** When the recording began, for one that is played faster than time; its readings are judged as if it had begun then. */
  readonly beganMs?: number
}

/** Makes the source. */
export function createAdapterSource(adapter: SensorAdapter, { device, beganMs }: AdapterSourceInit): ReadingSource {
  return {
    name: device,
    async *arrivals(from, signal) {
      await adapter.open()
      try {
        for await (const { receivedAtMs, readings, segments = [], next = 0 } of adapter.frames({ signal, from })) {
          const deviceTimeMs = readings[0]?.deviceTimeMs ?? segments[0]?.deviceTimeMs ?? 0
          const records = segments.map((segment): BatchRecord => ({
            kind: 'waveform',
            atMs: receivedAtMs,
            body: encodeSegment(segment)
          }))
          const arrival = { source: device, next, deviceTimeMs, readings, records }
          yield beganMs == null ? arrival : { ...arrival, atMs: Math.max(0, beganMs + deviceTimeMs) }
        }
      } finally {
        await adapter.close()
      }
    }
  }
}
