/** Rules, samples and a driver for tests of the clinical engine; of no person. */
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { openAlert, signAlert, type Alert } from '#core/clinical/alert.ts'
import { initialEngine, type EngineState, type Event, type Input, type Rules } from '#core/clinical/engine-state.ts'
import { step } from '#core/clinical/engine.ts'
import { openOrder, signOrder, type ClinicalOrder, type TrustedOrder } from '#core/clinical/order.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import type { TrustedPack } from '#core/clinical/signed-rule-pack.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

/** 32 equal bytes. */
export const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

export const START_MS = 1_700_000_000_000
export const HOUR_MS = 3_600_000
export const PATIENT: Uint8Array = bytes32(3)
export const SIGN_SEED: Uint8Array = bytes32(5)
export const PACK: TrustedPack = shippedPack(p)

/** The shipped pack, two persons with two channels and one. */
export const RULES: Rules = {
  p: nativePrimitives,
  gateway: bytes32(2),
  patient: PATIENT,
  trusted: PACK,
  order: null,
  chain: [2, 1]
}

/** An order of a clinician for the patient and the pack; it counts for a week. */
export function someOrder(change: Partial<Omit<ClinicalOrder, 'clinician'>> = {}): TrustedOrder {
  const order = {
    ...{ patient: PATIENT, pack: PACK.digest, scale: 1 as const, corridors: [] },
    ...{ fromMs: START_MS, untilMs: START_MS + 7 * 24 * HOUR_MS }
  }
  const bytes = signOrder(p, { ...order, ...change }, bytes32(9))
  return openOrder(p, bytes, { patient: PATIENT, trusted: PACK })
}

/** A sample of the monitor at a second; `null` is a value that it did not give. */
export function sample(vital: VitalCode, second: number, value: number | null): Input {
  const milli = value === null ? null : Math.round(value * 1000)
  return {
    ...{ type: 'sample', device: 'monitor', vital, milli, flags: milli === null ? 1 : 0 },
    atMs: START_MS + Math.round(1000 * second)
  }
}

/** Time alone. */
export function time(second: number): Input {
  return { type: 'time', atMs: START_MS + 1000 * second }
}

/** An engine and what it has said. */
export interface Run {
  readonly state: EngineState
  readonly events: readonly Event[]
  /** What the gate added to each input's reading. */
  readonly flags: readonly number[]
}

/** Feeds inputs to an engine. */
export function run(inputs: Iterable<Input>, rules: Rules = RULES, from: EngineState = initialEngine(rules)): Run {
  let state = from
  const events: Event[] = []
  const flags: number[] = []
  for (const input of inputs) {
    const next = step(rules, state, input)
    state = next.state
    events.push(...next.events)
    flags.push(next.flags)
  }
  return { state, events, flags }
}

/** The same value for seconds `from` to `to`, the latter not included. */
export function steady(vital: VitalCode, from: number, to: number, value: number | null): Input[] {
  return Array.from({ length: to - from }, (_, i) => sample(vital, from + i, value))
}

/** What was told of alarms: `[second, rule, kind]`. */
export function alertsOf(events: readonly Event[]): [number, string, string][] {
  return events.flatMap(each => (each.type === 'alert' ? [[(each.atMs - START_MS) / 1000, each.rule, each.kind]] : []))
}

/** The alerts, opened. */
export function openedAlerts(events: readonly Event[]): Alert[] {
  const signKey = p.ed25519PublicKey(SIGN_SEED)
  return events.flatMap(each =>
    each.type === 'alert'
      ? [openAlert(nativePrimitives, signAlert(nativePrimitives, each.bytes, SIGN_SEED), signKey).alert]
      : []
  )
}
