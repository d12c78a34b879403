/** Replays a recording as if a monitor sent it: the adapter between a file and the gateway. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/crypto/primitives.ts'
import type { Recording } from '#core/batch/recording.ts'
import { READING_FLAGS, type Reading, type Stream } from '#core/batch/reading.ts'
import type { ReadingSource } from '#gateway/ports.ts'

/** How to replay. */
export interface ReplayInit {
  readonly recording: Recording
  /** Name of the device in the readings. */
  readonly device: string
  /** 1 is real time, 60 a minute per second, `Infinity` as fast as the gateway takes it. */
  readonly speed: number
}

/** Makes a source of a recording. */
export function createReplay({ clock }: { readonly clock: Clock }, init: ReplayInit): ReadingSource {
  const { recording, device, speed } = init
  const streams: Stream[] = recording.columns.map(({ metric, exponent }) => ({ device, ...metric, exponent }))
  return {
    name: device,
    async *arrivals(firstRow, signal) {
      const startedMs = clock()
      const firstTimeMs = recording.rows[firstRow]?.timeMs ?? 0
      for (const [row, { timeMs, values }] of recording.rows.entries()) {
        if (row < firstRow) continue
        const waitMs = startedMs + (timeMs - firstTimeMs) / speed - clock()
        if (waitMs > 0) await pause(waitMs, undefined, { signal }).catch(ignoreAbort)
        if (signal.aborted) return
        const receivedAtMs = clock()
        const readings = values.flatMap((mantissa, i): Reading[] => {
          const stream = streams[i]
          const flags = mantissa === null ? READING_FLAGS.absent : 0
          return stream == null ? [] : [{ stream, sequence: row, deviceTimeMs: timeMs, receivedAtMs, mantissa, flags }]
        })
        yield { source: device, next: row + 1, deviceTimeMs: timeMs, readings }
      }
    }
  }
}

/** The pause ends early on the signal, which its caller looks at next. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
