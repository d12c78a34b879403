/** What the clinical engine is told, what it remembers, and what it says (docs/specs/alarm.md). Plain data, whole numbers only. */
import type { Primitives } from '#core/crypto/primitives.ts'
import type { EvidenceValue } from '#core/clinical/alert.ts'
import { emptyBaseline, type Baseline } from '#core/clinical/baseline.ts'
import { QUIET, type Condition } from '#core/clinical/condition.ts'
import type { Escalation } from '#core/clinical/escalation.ts'
import type { Sample, StreamState } from '#core/clinical/gate.ts'
import type { TrustedOrder } from '#core/clinical/order.ts'
import { NO_RATES, type RatesState } from '#core/clinical/rates.ts'
import type { Cause, Priority, RulePack } from '#core/clinical/rule-pack.ts'
import type { TrustedPack } from '#core/clinical/signed-rule-pack.ts'
import { VITALS, type VitalCode } from '#core/clinical/vital.ts'

/** Most devices times vital signs that are told apart; what comes beyond is judged by itself only. */
export const MAX_STREAMS = 256

/** By what the engine decides. */
export interface Rules {
  readonly p: Primitives
  /** 32 bytes each. */
  readonly gateway: Uint8Array
  readonly patient: Uint8Array
  readonly trusted: TrustedPack
  /** Null: nothing adapts, saturation is on scale 1. */
  readonly order: TrustedOrder | null
  /** Who is told: number of channels of each person, in order. */
  readonly chain: readonly number[]
}

/** What the engine is told. Times are milliseconds since 1970 by the gateway; one that goes back counts as the last. */
export type Input =
  | ({ readonly type: 'sample' } & Sample)
  | { readonly type: 'time'; readonly atMs: number }
  | { readonly type: 'technical'; readonly atMs: number; readonly cause: Cause; readonly isBad: boolean }
  | { readonly type: 'confirm'; readonly atMs: number; readonly alert: Uint8Array; readonly person: number }
  | { readonly type: 'acknowledge'; readonly atMs: number; readonly rule: string; readonly person: number }
  | { readonly type: 'pause'; readonly atMs: number; readonly forMs: number }
  | { readonly type: 'off'; readonly atMs: number; readonly rule: string; readonly forMs: number }
  | { readonly type: 'resume'; readonly atMs: number }

/** A vital sign as it stands. */
export interface VitalState {
  /** The last value that was believed; null before the first. */
  readonly milli: number | null
  readonly atMs: number
  /** The last report brought no value that could be believed. */
  readonly isHeld: boolean
  /** Unchanged since. */
  readonly sameMs: number
  /** The last report, believed or not, and whether it came while the one before would have counted: a sensor that is worn. */
  readonly reportedMs: number
  readonly isWorn: boolean
  /** The last values, at least a second apart. */
  readonly recent: readonly EvidenceValue[]
}

/** A score as it stands. */
export interface ScoreState {
  readonly total: number
  readonly risk: number
  readonly missing: number
}

/** What signals at the bedside: the gravest alarm that nobody has acknowledged. */
export interface Signal {
  readonly priority: Priority | null
  /** Someone did not respond, or the way to them is down. */
  readonly isUrged: boolean
}

/** All that the engine remembers. Lists follow {@link VITALS} or the lists of the pack. */
export interface EngineState {
  readonly nowMs: number
  /** Samples that were taken: where in the log something else was told. */
  readonly sampleCount: number
  readonly streams: readonly StreamState[]
  readonly vitals: readonly (VitalState | null)[]
  readonly rates: RatesState
  /** Technical causes that were told and have not ended. */
  readonly causes: readonly Cause[]
  readonly scores: readonly ScoreState[]
  readonly baselines: readonly Baseline[]
  /** Limit of each rule in thousandths; 0 for one that has none. */
  readonly limits: readonly number[]
  readonly conditions: readonly Condition[]
  readonly escalations: readonly Escalation[]
  readonly alertCount: number
  readonly lastAlert: Uint8Array
  readonly pausedUntilMs: number | null
  readonly signal: Signal
}

/** What the engine says. */
export type Event =
  | ({ readonly type: 'score'; readonly atMs: number; readonly name: string } & ScoreState)
  | {
      readonly type: 'limit'
      readonly atMs: number
      readonly rule: string
      readonly fromMilli: number
      readonly toMilli: number
    }
  | { readonly type: 'trend'; readonly atMs: number; readonly vital: VitalCode; readonly milliPerHour: number }
  | AlertEvent
  | {
      readonly type: 'deliver'
      readonly atMs: number
      readonly alert: Uint8Array
      readonly person: number
      readonly channel: number
    }
  | ({ readonly type: 'signal'; readonly atMs: number } & Signal)
  | { readonly type: 'reminder'; readonly atMs: number; readonly rule: string; readonly why: 'acknowledged' | 'off' }

/** An alert to be signed and sent. */
export interface AlertEvent {
  readonly type: 'alert'
  readonly atMs: number
  readonly id: Uint8Array
  /** Encoded alert (core/clinical/alert.ts). */
  readonly bytes: Uint8Array
  readonly rule: string
  readonly priority: Priority
  readonly kind: 'onset' | 'acknowledged' | 'cleared'
}

/** What one step gives. */
export interface Step {
  readonly state: EngineState
  readonly events: readonly Event[]
  /** Of a sample: what is to be added to its reading's flags. */
  readonly flags: number
}

/** Vital signs of a pack that have a baseline, in the order of `baselines`. */
export function baselineVitals(pack: RulePack): VitalCode[] {
  return pack.vitals.filter(each => each.sigmaMilli > 0).map(each => each.vital)
}

/** An engine that has been told nothing. */
export function initialEngine({ trusted: { pack } }: Pick<Rules, 'trusted'>): EngineState {
  return {
    nowMs: 0,
    sampleCount: 0,
    streams: [],
    vitals: VITALS.map(() => null),
    rates: NO_RATES,
    causes: [],
    scores: pack.scores.map(({ parameters }) => ({ total: 0, risk: 0, missing: 2 ** parameters.length - 1 })),
    baselines: baselineVitals(pack).map(emptyBaseline),
    limits: pack.alarms.map(({ test }) => (test.on === 'limit' ? test.limitMilli : 0)),
    conditions: pack.alarms.map(() => QUIET),
    escalations: [],
    alertCount: 0,
    lastAlert: new Uint8Array(32),
    pausedUntilMs: null,
    signal: { priority: null, isUrged: false }
  }
}
