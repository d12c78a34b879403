/**
 * Which values a sensor needs to send: those that moved, those that crossed into another band of a score, and all of them now and then so
 * that silence is a fault (docs/specs/send-on-delta.md). Runs on the sensor and, for sensors that send everything, in the gateway.
 *
 * @see M. Miskowicz, "Send-on-delta concept: an event-based data reporting strategy", Sensors 6(1), 2006
 */
import type { Reading, Stream } from '#core/batch/reading.ts'

/** Most streams that are followed; those beyond always send. */
export const MAX_DELTA_STREAMS = 256

/** What counts as a change. */
export interface DeltaPolicy {
  /** By MDC code: a value goes when it is further than this from the last sent one, in the unit of its metric; 0 for others. */
  readonly deadbands: ReadonlyMap<number, number>
  /** A value goes at the latest so long after the last one of its stream. */
  readonly heartbeatMs: number
  /** When a message goes anyway, values as old as this go with it. */
  readonly companionMs: number
  /** Points that a value has in a score, or any other mark of its band; a change of it always goes. */
  readonly bandOf: (stream: Stream, mantissa: number) => number | null
}

/** What was last sent of each stream. */
export type DeltaState = ReadonlyMap<string, LastSent>

/** The last sent value of a stream. */
export interface LastSent {
  readonly mantissa: number | null
  readonly flags: number
  readonly band: number | null
  readonly atMs: number
}

/** What to do with the values of one moment. */
export interface DeltaDecision {
  /** Readings to send in one message, unchanged; empty for no message. */
  readonly send: readonly Reading[]
  readonly state: DeltaState
}

/** A sensor that has sent nothing. */
export const NOTHING_SENT: DeltaState = new Map()

/** Decides about the readings of one moment. */
export function decideSending(
  policy: DeltaPolicy,
  state: DeltaState,
  readings: readonly Reading[],
  nowMs: number
): DeltaDecision {
  const seen = readings.map(reading => {
    const key = keyOf(reading.stream)
    const band = reading.mantissa == null ? null : policy.bandOf(reading.stream, reading.mantissa)
    return { reading, key, band, last: state.get(key) }
  })
  const isDue = seen.map(({ reading, band, last }) => last == null || hasChanged(policy, reading, band, last, nowMs))
  if (!isDue.includes(true)) return { send: [], state }
  const next = new Map(state)
  const send = seen.flatMap(({ reading, key, band, last }, i) => {
    const isCompanion = last != null && nowMs - last.atMs >= policy.companionMs
    if (isDue[i] !== true && !isCompanion) return []
    if (last != null || next.size < MAX_DELTA_STREAMS) {
      next.set(key, { mantissa: reading.mantissa, flags: reading.flags, band, atMs: nowMs })
    }
    return [reading]
  })
  return { send, state: next }
}

function hasChanged(
  { deadbands, heartbeatMs }: DeltaPolicy,
  { stream, mantissa, flags }: Reading,
  band: number | null,
  last: LastSent,
  nowMs: number
): boolean {
  // A clock that stepped back must not silence a stream until it has caught up.
  if (nowMs - last.atMs >= heartbeatMs || nowMs < last.atMs) return true
  // Lead off, artefact, absent: what is known about a value matters as much as the value.
  if (flags !== last.flags || band !== last.band) return true
  if (mantissa == null || last.mantissa == null) return mantissa !== last.mantissa
  const deadband = (deadbands.get(stream.mdc) ?? 0) * 10 ** -stream.exponent
  return Math.abs(mantissa - last.mantissa) > deadband
}

function keyOf({ device, mdc, loinc, ucum, exponent }: Stream): string {
  return JSON.stringify([device, mdc, loinc, ucum, exponent])
}
