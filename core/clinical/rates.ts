/** Heart rate against pulse rate: two sensors of one thing (docs/specs/quality-gate.md). */
import type { GateRule } from '#core/clinical/rule-pack.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

/** One of the two rates. */
export type RateCode = Extract<VitalCode, 'heartRate' | 'pulseRate'>

/** What was last measured of both. */
export interface RatesState {
  readonly heart: { readonly milli: number; readonly atMs: number } | null
  readonly pulse: { readonly milli: number; readonly atMs: number } | null
  /** What both said when they last agreed. */
  readonly agreedMilli: number | null
  readonly differSinceMs: number | null
}

/** Before anything was measured. */
export const NO_RATES: RatesState = { heart: null, pulse: null, agreedMilli: null, differSinceMs: null }

/** Of values further apart in time it is not asked whether they agree. */
const TOGETHER_MS = 10_000

/** Tells whether a vital sign is one of the two. */
export function isRate(vital: VitalCode): vital is RateCode {
  return vital === 'heartRate' || vital === 'pulseRate'
}

/** Takes a plausible value in. */
export function takeRate(gate: GateRule, rates: RatesState, vital: RateCode, milli: number, atMs: number): RatesState {
  const next = { ...rates, [vital === 'heartRate' ? 'heart' : 'pulse']: { milli, atMs } }
  const { heart, pulse } = next
  if (heart == null || pulse == null || Math.abs(heart.atMs - pulse.atMs) > TOGETHER_MS) {
    return { ...next, differSinceMs: null }
  }
  const differs = Math.abs(heart.milli - pulse.milli) > gate.differMilli
  if (differs) return { ...next, differSinceMs: rates.differSinceMs ?? atMs }
  return { ...next, differSinceMs: null, agreedMilli: Math.floor((heart.milli + pulse.milli) / 2) }
}

/**
 * Which of the two is doubted: once they have differed for long enough, and not for ever, the one further from what both
 * last agreed on. Without such a value neither is.
 */
export function doubtedRate(gate: GateRule, rates: RatesState, atMs: number): RateCode | undefined {
  const { heart, pulse, agreedMilli, differSinceMs } = rates
  if (heart == null || pulse == null || agreedMilli == null || differSinceMs == null) return undefined
  const lastedMs = atMs - differSinceMs
  if (lastedMs <= gate.differMs || lastedMs > gate.doubtMs) return undefined
  const heartAway = Math.abs(heart.milli - agreedMilli)
  const pulseAway = Math.abs(pulse.milli - agreedMilli)
  return heartAway > pulseAway ? 'heartRate' : 'pulseRate'
}
