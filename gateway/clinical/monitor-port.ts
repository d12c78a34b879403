/** The monitor as the gateway's intake knows it: readings in, flags and records for the log out. */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readUint } from '#core/encoding/shape.ts'
import { isSalusError } from '#core/error.ts'
import type { Reading } from '#core/batch/reading.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import { MAX_STATE_BYTES } from '#core/clinical/engine-state-form.ts'
import { encodeLoggedEvent, encodeLoggedInput, type LoggedInput } from '#core/clinical/log-form.ts'
import type { Condition } from '#core/clinical/condition.ts'
import type { Cause } from '#core/clinical/rule-pack.ts'
import type { TrustedPack } from '#core/clinical/signed-rule-pack.ts'
import {
  createMonitor,
  type Monitor,
  type MonitorAct,
  type MonitorComponents,
  type MonitorEvent,
  type MonitorInit
} from '#gateway/clinical/monitor.ts'
import type { Judged, MonitorPort, Risk } from '#gateway/ports.ts'

/** A monitor port with what people and the gateway tell it; what it gives back goes to the log as well. */
export interface ClinicalPort extends MonitorPort {
  act(act: MonitorAct, nowMs: number): Judged
  technical(cause: Cause, isBad: boolean, nowMs: number): Judged
}

const AREA = 'MONITOR_SNAPSHOT'

/**
 * Makes the port. From a snapshot of its own it goes on there, and tells the time since as a gap; one that is damaged or of other rules is no
 * reason to stay silent: the monitor begins anew, with a gap as well.
 */
export function createMonitorPort(components: MonitorComponents, init: Omit<MonitorInit, 'onInput'>): ClinicalPort {
  const kept = init.snapshot == null ? undefined : readSnapshot(init.snapshot)
  let lastHighAlertMs = kept?.lastHighAlertMs ?? null
  let hasGap = init.snapshot != null
  let records: BatchRecord[] = []
  const { gateway, patient, signSeed, pack, order, chain, watch } = init
  const told = {
    ...{ gateway, patient, signSeed, pack, order, chain, watch },
    onInput(input: LoggedInput, after: number): void {
      records.push({ kind: 'clinical', atMs: input.atMs, body: encodeLoggedInput(input, after) })
    },
    onEvent(event: MonitorEvent): void {
      if (event.type === 'alert') {
        records.push({ kind: 'alarm', atMs: event.atMs, body: event.signed })
        // By the gateway's clock, as anchors are: the event's own time may be a recording's.
        if (event.priority === 'high' && event.kind === 'onset') lastHighAlertMs = components.clock()
      } else if (event.type === 'score' || event.type === 'limit' || event.type === 'trend') {
        records.push({ kind: 'clinical', atMs: event.atMs, body: encodeLoggedEvent(event) })
      }
      init.onEvent(event)
    }
  }
  const monitor = goOn(components, told, kept?.state)
  const noticed = (readings: readonly Reading[] = []): Judged => {
    const found = records
    records = []
    return { readings, records: found }
  }
  const bridgeGap = (nowMs: number): void => {
    if (hasGap) monitor.resume(nowMs)
    hasGap = false
  }
  return {
    take(readings, nowMs) {
      bridgeGap(nowMs)
      return noticed(monitor.take(readings, nowMs))
    },
    tick(nowMs) {
      bridgeGap(nowMs)
      monitor.tick(nowMs)
      return noticed()
    },
    act(act, nowMs) {
      bridgeGap(nowMs)
      monitor.act(act, nowMs)
      return noticed()
    },
    technical(cause, isBad, nowMs) {
      bridgeGap(nowMs)
      monitor.technical(cause, isBad, nowMs)
      return noticed()
    },
    risk: () => riskOf(pack, monitor.state.conditions),
    lastHighAlertMs: () => lastHighAlertMs,
    snapshot: () => encodeCanonical([lastHighAlertMs, monitor.snapshot()])
  }
}

function goOn(components: MonitorComponents, init: MonitorInit, snapshot: Uint8Array | undefined): Monitor {
  if (snapshot == null) return createMonitor(components, init)
  try {
    return createMonitor(components, { ...init, snapshot })
  } catch (error) {
    if (!isSalusError(error)) throw error
    return createMonitor(components, init)
  }
}

/** By the gravest alarm about the patient that is active or acknowledged. */
function riskOf({ pack }: TrustedPack, conditions: readonly Condition[]): Risk {
  const going = pack.alarms.filter(
    ({ test }, i) =>
      test.on !== 'technical' && (conditions[i]?.phase === 'active' || conditions[i]?.phase === 'acknowledged')
  )
  if (going.some(({ priority }) => priority === 'high')) return 'high'
  return going.some(({ priority }) => priority === 'medium') ? 'medium' : 'routine'
}

/** The parts of a snapshot; undefined of one that is damaged. */
function readSnapshot(
  bytes: Uint8Array
): { readonly lastHighAlertMs: number | null; readonly state: Uint8Array } | undefined {
  try {
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES + 64 })
    const [last, state] = readList(value, AREA, 'snapshot', 2, item => item)
    return {
      lastHighAlertMs: last === null ? null : readUint(last, AREA, 'lastHighAlertMs'),
      state: readBytes(state, AREA, 'state', { min: 0, max: MAX_STATE_BYTES })
    }
  } catch (error) {
    if (!isSalusError(error)) throw error
    return undefined
  }
}
