/** The monitor as the gateway's intake knows it: readings in, flags and records for the log out. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import type { Reading } from '#core/batch/reading.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { MAX_STATE_BYTES } from '#core/clinical/engine-state-form.ts'
import { encodeLoggedEvent, encodeLoggedInput } from '#core/clinical/log-form.ts'
import type { Cause } from '#core/clinical/rule-pack.ts'
import { createMonitor, type MonitorAct, type MonitorComponents, type MonitorInit } from '#gateway/clinical/monitor.ts'
import type { Judged, MonitorPort, Risk } from '#gateway/ports.ts'

/** How to make one. */
export interface MonitorPortInit extends Omit<MonitorInit, 'onInput'> {
  /**
   * By which clock alarms have their delays: the gateway's, or the devices' where a recording is replayed faster or slower than time. Of the
   * latter the first reading is taken to come now.
   */
  readonly timeBy: 'gateway' | 'device'
}

/** A monitor port with what people and the gateway tell it; what it gives back goes to the log as well. */
export interface ClinicalPort extends MonitorPort {
  act(act: MonitorAct, nowMs: number): Judged
  technical(cause: Cause, isBad: boolean, nowMs: number): Judged
  /** Once after a restart, when what was journaled behind the snapshot has been taken again. */
  resume(nowMs: number): Judged
}

const AREA = 'MONITOR_SNAPSHOT'

/**
 * Makes the port, from a snapshot of its own if `snapshot` is one.
 *
 * @throws SalusError `MONITOR_SNAPSHOT_*`, `CLINICAL_STATE_*` if the snapshot is damaged or of another pack
 */
export function createMonitorPort(components: MonitorComponents, init: MonitorPortInit): ClinicalPort {
  const kept = init.snapshot == null ? undefined : readSnapshot(init.snapshot)
  let lastHighAlertMs = kept?.lastHighAlertMs ?? null
  let records: BatchRecord[] = []
  let aheadMs: number | undefined
  const monitor = createMonitor(components, {
    ...{ gateway: init.gateway, patient: init.patient, signSeed: init.signSeed, pack: init.pack, order: init.order },
    ...{ chain: init.chain, watch: init.watch, ...(kept == null ? {} : { snapshot: kept.state }) },
    onInput: (input, after) => {
      records.push({ kind: 'clinical', atMs: input.atMs, body: encodeLoggedInput(input, after) })
    },
    onEvent: event => {
      if (event.type === 'alert') {
        records.push({ kind: 'alarm', atMs: event.atMs, body: event.signed })
        if (event.priority === 'high' && event.kind === 'onset') lastHighAlertMs = event.atMs
      } else if (event.type === 'score' || event.type === 'limit' || event.type === 'trend') {
        records.push({ kind: 'clinical', atMs: event.atMs, body: encodeLoggedEvent(event) })
      }
      init.onEvent(event)
    }
  })
  /** The gateway's time, or the recording's. */
  const timeOf = (nowMs: number, readings: readonly Reading[]): number => {
    if (init.timeBy === 'gateway') return nowMs
    const [first] = readings
    if (first == null) return monitor.state.nowMs
    aheadMs ??= nowMs - first.deviceTimeMs
    return first.deviceTimeMs + aheadMs
  }
  const noticed = (readings: readonly Reading[] = []): Judged => {
    const found = records
    records = []
    return { readings, records: found }
  }
  return {
    take: (readings, nowMs) => noticed(monitor.take(readings, timeOf(nowMs, readings))),
    tick(nowMs) {
      // A replay's time goes on with its readings only.
      if (init.timeBy === 'gateway') monitor.tick(nowMs)
      return noticed()
    },
    act(act, nowMs) {
      monitor.act(act, timeOf(nowMs, []))
      return noticed()
    },
    technical(cause, isBad, nowMs) {
      monitor.technical(cause, isBad, timeOf(nowMs, []))
      return noticed()
    },
    resume(nowMs) {
      monitor.resume(nowMs)
      return noticed()
    },
    risk: () => riskOf(init, monitor.state.conditions),
    lastHighAlertMs: () => lastHighAlertMs,
    snapshot: () => encodeCanonical([lastHighAlertMs, monitor.snapshot()])
  }
}

/** By the gravest alarm about the patient that is active or acknowledged. */
function riskOf({ pack }: Pick<MonitorInit, 'pack'>, conditions: readonly { readonly phase: string }[]): Risk {
  const going = pack.pack.alarms.filter(
    ({ test }, i) =>
      test.on !== 'technical' && (conditions[i]?.phase === 'active' || conditions[i]?.phase === 'acknowledged')
  )
  if (going.some(({ priority }) => priority === 'high')) return 'high'
  return going.some(({ priority }) => priority === 'medium') ? 'medium' : 'routine'
}

function readSnapshot(bytes: Uint8Array): { readonly lastHighAlertMs: number | null; readonly state: Uint8Array } {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES + 64 })
  const items = readList(value, AREA, 'snapshot', 2, item => item)
  if (items.length !== 2) throw new SalusError('MONITOR_SNAPSHOT_SHAPE', 'Refused: a snapshot has two parts.')
  return {
    lastHighAlertMs: items[0] === null ? null : readUint(items[0], AREA, 'lastHighAlertMs'),
    state: readBytes(items[1], AREA, 'state', { min: 0, max: MAX_STATE_BYTES })
  }
}
