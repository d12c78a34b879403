/** The monitor as the intake of a gateway uses it: flags, records for the log, and how much the patient is at risk. */
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { isSalusError } from '#core/error.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import type { Reading } from '#core/batch/reading.ts'
import {
  createMonitor,
  type MonitorComponents,
  type MonitorEvent,
  type MonitorInit
} from '#gateway/clinical/monitor.ts'
import type { Judged, MonitorPort, Risk } from '#gateway/ports.ts'

/** Risk of a score from which an anchor is due sooner: 3 is medium (core/clinical/score.ts). */
const MEDIUM = 3
const HIGH = 4

/**
 * Makes it. Every event is handed on at once; those that the log keeps, alerts and changes of limits, become records.
 *
 * @param onEvent - as {@link MonitorInit.onEvent}
 */
export function createMonitorPort(components: MonitorComponents, init: MonitorInit): MonitorPort {
  let records: BatchRecord[] = []
  let highMs: number | null = null
  const onEvent = (event: MonitorEvent): void => {
    if (event.type === 'alert') {
      records.push({ kind: 'alarm', atMs: event.atMs, body: event.signed })
      // By the gateway's clock, as anchors are: the event's own time may be a recording's.
      if (event.priority === 'high' && event.kind === 'onset') highMs = components.clock()
    } else if (event.type === 'limit') {
      records.push({ kind: 'clinical', atMs: event.atMs, body: encodeCanonical(event) })
    }
    init.onEvent(event)
  }
  const monitor = open(components, { ...init, onEvent })
  const judged = (readings: readonly Reading[]): Judged => {
    const noticed = records
    records = []
    return { readings, records: noticed }
  }
  return {
    take: (readings, nowMs) => judged(monitor.take(readings, nowMs)),
    tick(nowMs) {
      monitor.tick(nowMs)
      return judged([])
    },
    risk(): Risk {
      const risk = monitor.state.scores.reduce((most, score) => Math.max(most, score.risk), 0)
      return risk >= HIGH ? 'high' : risk >= MEDIUM ? 'medium' : 'routine'
    },
    lastHighAlertMs: () => highMs,
    snapshot: () => monitor.snapshot()
  }
}

/** A snapshot of other rules, or a damaged one, is no reason to stay silent: the monitor begins anew. */
function open(components: MonitorComponents, init: MonitorInit): ReturnType<typeof createMonitor> {
  try {
    return createMonitor(components, init)
  } catch (error) {
    if (!isSalusError(error)) throw error
    const { snapshot: _, ...fresh } = init
    return createMonitor(components, fresh)
  }
}
