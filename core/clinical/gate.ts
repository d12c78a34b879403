/**
 * The quality gate: whether a value can be one, and whether it is to be believed (docs/specs/quality-gate.md). What is impossible
 * is always set aside; what is merely suspicious never is where it lies beyond a limit at three points.
 */
import { READING_FLAGS } from '#core/batch/reading.ts'
import type { GateRule, VitalRule } from '#core/clinical/rule-pack.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

/** A value of one device as it came. */
export interface Sample {
  readonly device: string
  readonly vital: VitalCode
  /** Thousandths of the unit; null if the device gave none. */
  readonly milli: number | null
  /** As the device set them. */
  readonly flags: number
  readonly atMs: number
}

/** What the gate remembers of one vital sign of one device. */
export interface StreamState {
  readonly device: string
  readonly vital: VitalCode
  /** The last value that was believed. */
  readonly milli: number
  readonly atMs: number
  /** A level that was jumped to and is not believed yet; null if there is none. */
  readonly jump: { readonly milli: number; readonly sinceMs: number; readonly atMs: number } | null
}

/** By what a sample is judged. */
export interface GateView {
  readonly rule: VitalRule
  readonly gate: GateRule
  /** It lies beyond a limit at three points. */
  readonly isRed: boolean
  /** A zero means that nothing was measured. */
  readonly isZeroMissing: boolean
}

/** What the gate says of a sample. */
export interface Verdict {
  /** What is to be added to the reading's flags. */
  readonly flags: number
  readonly isUsable: boolean
  readonly stream: StreamState | undefined
}

const { artefact, leadOff } = READING_FLAGS

/**
 * Judges one sample by itself and by what the same device measured before. What the flags say already is not looked at: judged again with
 * its own verdict, as in a replay, a sample comes to the same.
 */
export function judgeSample(
  { rule, gate, isRed, isZeroMissing }: GateView,
  stream: StreamState | undefined,
  sample: Sample
): Verdict {
  const { milli, device, vital, atMs } = sample
  if (milli === null) return { flags: 0, isUsable: false, stream }
  if (milli === 0 && isZeroMissing) return { flags: artefact | leadOff, isUsable: false, stream }
  if (milli < rule.minMilli || milli > rule.maxMilli) return { flags: artefact, isUsable: false, stream }
  const believed: Verdict = { flags: 0, isUsable: true, stream: { device, vital, milli, atMs, jump: null } }
  if (stream == null || isRed) return believed
  const { jump } = stream
  // Time in which the device said something else gives no value time to change in.
  const from = jump == null ? stream : { milli: stream.milli, atMs: jump.atMs }
  if (isReachable(rule, from, milli, atMs)) return believed
  const goesOn = jump != null && isReachable(rule, jump, milli, atMs)
  if (goesOn && atMs - jump.sinceMs >= gate.settleMs) return believed
  const next = { milli, atMs, sinceMs: goesOn ? jump.sinceMs : atMs }
  return { flags: artefact, isUsable: false, stream: { ...stream, jump: next } }
}

/** Tells whether a value can have become another in the time between. After a long silence it can have become any. */
function isReachable(
  { slewMilliPerS, validMs }: VitalRule,
  from: { readonly milli: number; readonly atMs: number },
  milli: number,
  atMs: number
): boolean {
  const betweenMs = atMs - from.atMs
  if (slewMilliPerS === 0 || betweenMs > validMs) return true
  return Math.abs(milli - from.milli) * 1000 <= slewMilliPerS * Math.max(betweenMs, 1000)
}
