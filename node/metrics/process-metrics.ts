/** How the process itself is: memory, processor, how late its one thread runs. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { counted, gauge, gauges, type Family } from '#node/metrics/families.ts'

/** Watches the process until it is stopped. */
export interface ProcessMetrics {
  start(): void
  stop(): void
  read(): readonly Family[]
}

const NS_PER_S = 1e9
/** Time between two looks at the clock, ms. */
const RESOLUTION_MS = 20
const STATISTICS = { p50: 50, p99: 99, max: 100 }

/** Makes the watcher. @param version - of this software */
export function createProcessMetrics(version: string): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const startedS = (performance.timeOrigin / 1000).toFixed(3)
  return {
    start() {
      delay.enable()
    },
    stop() {
      delay.disable()
    },
    read() {
      const { rss, heapUsed, external } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      const late = Object.entries(STATISTICS).map(([of, percent]) => {
        const ns = percent === 100 ? delay.max : delay.percentile(percent)
        return [{ of }, Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1000)] as const
      })
      // Each reading says how late it was since the one before.
      delay.reset()
      const memory = { unit: 'bytes' } as const
      return [
        {
          name: 'salus_build',
          type: 'info',
          help: 'Version of the software and of its runtime.',
          samples: [{ suffix: '_info', labels: { version, node: process.version }, value: 1 }]
        },
        gauge(
          { name: 'salus_process_start_time_seconds', unit: 'seconds', help: 'When the process started, since 1970.' },
          Number(startedS)
        ),
        counted(
          { name: 'salus_process_cpu_seconds', unit: 'seconds', help: 'Processor time used.' },
          (user + system) / 1e6
        ),
        gauge({ ...memory, name: 'salus_process_resident_memory_bytes', help: 'Memory of the process.' }, rss),
        gauge({ ...memory, name: 'salus_process_heap_bytes', help: 'Memory of its JavaScript objects.' }, heapUsed),
        gauge({ ...memory, name: 'salus_process_external_memory_bytes', help: 'Memory of its buffers.' }, external),
        gauges(
          {
            name: 'salus_process_event_loop_lag_seconds',
            unit: 'seconds',
            help: 'How late the one thread was since the last reading: median, 99 of 100, most.'
          },
          late
        )
      ]
    }
  }
}
