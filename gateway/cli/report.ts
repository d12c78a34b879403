/** What a run came to: readings, batches, bytes, alarms with times, scores over time. */
import type { MonitorEvent } from '#gateway/clinical/monitor.ts'
import type { GatewayEvent } from '#gateway/gateway.ts'

/** An alarm as the report tells it; times in seconds since the recording began. */
export interface ReportedAlarm {
  readonly atSeconds: number
  readonly rule: string
  readonly priority: string
  readonly kind: string
}

/** One score: at each change seconds since the recording began, total, risk (0 to 4), and how many parameters were not known. */
export interface ScoreSeries {
  readonly name: string
  readonly series: readonly (readonly [number, number, number, number])[]
}

/** The whole report. */
export interface RunReport {
  readonly readings: number
  /** Pieces of waveforms. */
  readonly segments: number
  readonly batches: number
  /** Of all batches as they are signed, before they are sealed. */
  readonly bytes: number
  readonly alarms: readonly ReportedAlarm[]
  readonly scores: readonly ScoreSeries[]
  /** Leaves of the tree at the end. */
  readonly treeSize: number
  readonly recordedSeconds: number
  readonly peakMiB: number
}

/** Collects a report. */
export interface Reporter {
  onEvent(event: GatewayEvent): void
  onMonitorEvent(event: MonitorEvent): void
  report(): RunReport
}

/** Makes a reporter. @param beganMs - what the monitor was told as the beginning of the recording */
export function createReporter(beganMs: number): Reporter {
  let [readings, segments, batches, bytes, treeSize, lastMs] = [0, 0, 0, 0, 0, beganMs]
  const alarms: ReportedAlarm[] = []
  const scores = new Map<string, (readonly [number, number, number, number])[]>()
  const secondsOf = (atMs: number): number => Math.round(atMs - beganMs) / 1000
  return {
    onEvent(event) {
      if (event.event !== 'batch') return
      readings += event.readings
      segments += event.records
      batches++
      bytes += event.bytes
      treeSize = event.treeSize
    },
    onMonitorEvent(event) {
      lastMs = Math.max(lastMs, event.atMs)
      if (event.type === 'alert') {
        const { atMs, rule, priority, kind } = event
        alarms.push({ atSeconds: secondsOf(atMs), rule, priority, kind })
      } else if (event.type === 'score') {
        const series = scores.get(event.name) ?? []
        scores.set(event.name, series)
        series.push([secondsOf(event.atMs), event.total, event.risk, bitsOf(event.missing)])
      }
    },
    report: () => ({
      ...{ readings, segments, batches, bytes, treeSize, alarms },
      scores: [...scores].map(([name, series]) => ({ name, series })),
      recordedSeconds: secondsOf(lastMs),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024)
    })
  }
}

function bitsOf(mask: number): number {
  let count = 0
  for (let rest = mask; rest > 0; rest >>>= 1) count += rest & 1
  return count
}
