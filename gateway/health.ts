/** What a gateway says of itself over HTTP: counters and ages, never a value, a device or a patient. */
import { createPlainServer, type PlainServer } from '#node/http/plain-server.ts'
import { counted, gauge, type Family } from '#node/metrics/families.ts'
import { OPEN_METRICS_TYPE, writeOpenMetrics } from '#node/metrics/open-metrics.ts'
import { createProcessMetrics } from '#node/metrics/process-metrics.ts'
import { VERSION } from '#node/version.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import type { GatewayState } from '#gateway/state.ts'

const MAX_CONNECTIONS = 64
const MS_PER_S = 1000

/** How a gateway stands. */
export interface GatewayHealth {
  readonly status: 'starting' | 'running' | 'behind'
  readonly readings: number
  readonly batches: number
  readonly alarms: number
  /** Signed batches that no node has taken yet. */
  readonly backlogBatches: number
  /** Batches that are in no anchor yet. */
  readonly unanchoredBatches: number
  readonly secondsSinceBatch: number | null
  readonly secondsSinceAnchor: number | null
  /** Bytes that a damaged journal lost and that no batch has named yet. */
  readonly lostBytes: number
}

/** Batches that wait above which a gateway counts as behind. */
const BEHIND = 5

/** Counts what happens. */
export interface HealthWatch {
  onEvent(event: GatewayEvent): void
  read(state: GatewayState | undefined): GatewayHealth
}

/** Makes a watch. */
export function createHealthWatch(clock: () => number): HealthWatch {
  let [readings, batches, alarms, rootedSequence] = [0, 0, 0, 0]
  let [batchMs, anchorMs]: (number | null)[] = [null, null]
  const age = (sinceMs: number | null): number | null =>
    sinceMs == null ? null : Math.max(0, Math.round((clock() - sinceMs) / MS_PER_S))
  return {
    onEvent(event) {
      if (event.event === 'batch') {
        readings += event.readings
        batches++
        batchMs = clock()
      } else if (event.event === 'noticed') alarms += event.records.filter(({ kind }) => kind === 'alarm').length
      else if (event.event === 'anchored') anchorMs = clock()
      else if (event.event === 'rooted') {
        anchorMs = clock()
        rootedSequence = batches
      }
    },
    read(state) {
      const { sequence = 0, acknowledged = 0, anchored, lostBytes = 0 } = state ?? {}
      const backlogBatches = sequence - acknowledged
      return {
        status: state == null ? 'starting' : backlogBatches > BEHIND ? 'behind' : 'running',
        ...{ readings, batches, alarms, backlogBatches, lostBytes },
        unanchoredBatches: Math.max(0, sequence - Math.max(anchored?.batch ?? 0, rootedSequence)),
        secondsSinceBatch: age(batchMs ?? null),
        secondsSinceAnchor: age(anchorMs ?? null)
      }
    }
  }
}

/** The same as Prometheus reads it. */
export function healthFamilies(health: GatewayHealth): readonly Family[] {
  const { readings, batches, alarms, backlogBatches, unanchoredBatches, lostBytes, secondsSinceAnchor } = health
  return [
    counted({ name: 'salus_gateway_readings', help: 'Readings in signed batches since the start.' }, readings),
    counted({ name: 'salus_gateway_batches', help: 'Signed batches since the start.' }, batches),
    counted({ name: 'salus_gateway_alarms', help: 'Alarm records since the start.' }, alarms),
    gauge({ name: 'salus_gateway_backlog_batches', help: 'Signed batches that no node has yet.' }, backlogBatches),
    gauge({ name: 'salus_gateway_unanchored_batches', help: 'Batches in no anchor yet.' }, unanchoredBatches),
    gauge({ name: 'salus_gateway_lost_bytes', unit: 'bytes', help: 'Lost by a damaged journal.' }, lostBytes),
    ...(secondsSinceAnchor == null
      ? []
      : [
          gauge(
            { name: 'salus_gateway_anchor_age_seconds', unit: 'seconds', help: 'Since the last anchor.' },
            secondsSinceAnchor
          )
        ])
  ]
}

/** Makes the server of `/health` and `/metrics`. */
export function createHealthServer(
  read: () => GatewayHealth,
  listen: { readonly host: string; readonly port: number }
): PlainServer {
  const metrics = createProcessMetrics(VERSION)
  const server = createPlainServer(
    ({ method, url }) => {
      const health = read()
      if (method !== 'GET') return { status: 405 }
      if (url === '/health') {
        const status = health.status === 'starting' ? 503 : 200
        return { status, type: 'application/json', body: JSON.stringify(health) }
      }
      if (url !== '/metrics') return { status: 404 }
      return {
        status: 200,
        type: OPEN_METRICS_TYPE,
        body: writeOpenMetrics([...healthFamilies(health), ...metrics.read()])
      }
    },
    { ...listen, maxConnections: MAX_CONNECTIONS, maxBodyBytes: 0 }
  )
  return {
    async start() {
      metrics.start()
      return server.start()
    },
    async stop() {
      metrics.stop()
      await server.stop()
    }
  }
}
