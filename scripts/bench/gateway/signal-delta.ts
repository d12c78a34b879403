/** Replays a recording of numerics through send-on-delta and counts what it saves, and what a receiver would miss. */
import { HEART_RATE, OXYGEN_SATURATION, PULSE_RATE, RESPIRATORY_RATE } from '#core/batch/metrics.ts'
import { READING_FLAGS, type Reading, type Stream } from '#core/batch/reading.ts'
import type { Recording } from '#core/batch/recording.ts'
import { NEWS2 } from '#core/clinical/packs/news2.ts'
import { scoreOf } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'
import { messageMicrojoules, NRF52_CLASS } from '#core/signal/radio-energy.ts'
import { decideSending, NOTHING_SENT, type DeltaPolicy, type DeltaState } from '#core/signal/send-on-delta.ts'

const VITALS: ReadonlyMap<number, VitalCode> = new Map([
  [HEART_RATE.mdc, 'heartRate'],
  [PULSE_RATE.mdc, 'pulseRate'],
  [RESPIRATORY_RATE.mdc, 'respiratoryRate'],
  [OXYGEN_SATURATION.mdc, 'oxygenSaturation']
])
/** Number of the message and time, then per value a stream number and two bytes. */
const MESSAGE_BYTES = 4
const VALUE_BYTES = 3

/** NEWS2 points of one value on scale 1; null for what it does not score. */
function news2Points({ mdc, exponent }: Stream, mantissa: number): number | null {
  const vital = VITALS.get(mdc)
  return vital == null ? null : scoreOf(NEWS2, { [vital]: mantissa * 1000 * 10 ** exponent }, 1).total
}

/** Deadbands of 2 beats, 1 breath and 1 per cent, a heartbeat of a minute: the reference's middle row. */
export const WARD_POLICY: DeltaPolicy = {
  deadbands: new Map([
    [HEART_RATE.mdc, 2],
    [PULSE_RATE.mdc, 2],
    [RESPIRATORY_RATE.mdc, 1],
    [OXYGEN_SATURATION.mdc, 1]
  ]),
  heartbeatMs: 60_000,
  companionMs: 30_000,
  bandOf: news2Points
}

/** What a replay came to. */
export interface DeltaOutcome {
  /** Seconds: messages without reduction. */
  readonly moments: number
  readonly messages: number
  readonly values: number
  /** Values for which the receiver has another band than the sensor. */
  readonly missedBands: number
  readonly microjoules: number
  readonly microjoulesOfAll: number
}

/** Heart rate, breaths and saturation of a recording, as the reference counts them; the pulse is left out. */
export function replayDelta(recording: Recording, policy: DeltaPolicy): DeltaOutcome {
  const columns = recording.columns.flatMap(({ metric, exponent }, i) =>
    metric.mdc === PULSE_RATE.mdc ? [] : [{ stream: { device: 'monitor', ...metric, exponent }, i }]
  )
  let state: DeltaState = NOTHING_SENT
  const received = new Map<Stream, Reading>()
  let [messages, values, missedBands, microjoules] = [0, 0, 0, 0]
  for (const [sequence, row] of recording.rows.entries()) {
    const readings = columns.map(({ stream, i }): Reading => {
      const mantissa = row.values[i] ?? null
      const flags = mantissa == null ? READING_FLAGS.absent : 0
      return { stream, sequence, deviceTimeMs: row.timeMs, receivedAtMs: 0, mantissa, flags }
    })
    const decision = decideSending(policy, state, readings, row.timeMs)
    state = decision.state
    if (decision.send.length > 0) {
      messages++
      values += decision.send.length
      microjoules += messageMicrojoules(MESSAGE_BYTES + VALUE_BYTES * decision.send.length, NRF52_CLASS)
    }
    for (const reading of decision.send) received.set(reading.stream, reading)
    for (const { stream, mantissa } of readings) {
      const known = received.get(stream)?.mantissa ?? null
      const bandOf = (value: number | null): number | null => (value == null ? null : policy.bandOf(stream, value))
      if (bandOf(known) !== bandOf(mantissa)) missedBands++
    }
  }
  const moments = recording.rows.length
  const microjoulesOfAll = moments * messageMicrojoules(MESSAGE_BYTES + VALUE_BYTES * columns.length, NRF52_CLASS)
  return { moments, messages, values, missedBands, microjoules, microjoulesOfAll }
}
