/**
 * Finds heart beats in an electrocardiogram, a plethysmogram or a pressure, by two moving averages of the energy in the band where
 * beats are: where the short one rises above the long one there is a beat.
 *
 * @see M. Elgendi, "Fast QRS detection with an optimized knowledge-based method", PLoS ONE 8(9), 2013, and the same author's "Systolic
 * peak detection in acceleration photoplethysmograms", PLoS ONE 8(10), 2013
 */
import { bandPass, movingAverage } from '#core/signal/beats/moving-average.ts'

/** Kind of signal. */
export type BeatSignal = 'ecg' | 'pulse'

interface Shape {
  /** Widths in seconds. */
  readonly fast: number
  readonly slow: number
  readonly event: number
  readonly beat: number
  /** Part of the mean energy that an event must lie above the long average. */
  readonly offset: number
  /** Least part of the event's width. */
  readonly least: number
  /** Shortest time between two beats. */
  readonly refractory: number
  /** So soon after a beat a lower event is its own late wave. */
  readonly late: number
  /** Pulses rise to one side only. */
  readonly isOneSided: boolean
}

const SHAPES: Readonly<Record<BeatSignal, Shape>> = {
  ecg: {
    fast: 0.025,
    slow: 0.11,
    event: 0.097,
    beat: 0.611,
    offset: 0.08,
    least: 0.5,
    refractory: 0.2,
    late: 0.36,
    isOneSided: false
  },
  pulse: {
    fast: 0.1,
    slow: 0.9,
    event: 0.111,
    beat: 0.667,
    offset: 0.02,
    least: 0.5,
    refractory: 0.3,
    late: 0.45,
    isOneSided: true
  }
}
/** The mean energy is of so many seconds around, so that a burst of noise hides the beats near it only. */
const MEAN_SECONDS = 8

const LATE_HEIGHT = 0.5
const LEAST_HEIGHT = 0.25
const RECENT = 8
const PAUSE_SECONDS = 2

/** Beats of a stretch. */
export interface Beats {
  /** Numbers of the samples at which the beats are highest. */
  readonly at: readonly number[]
  /** The band in which they were looked for. */
  readonly band: Float64Array
}

/**
 * Finds beats. Numbers come out of whole sums and divisions alone, alike on every machine.
 *
 * @param samples - raw samples, missing ones replaced (core/signal/beats/fill.ts)
 * @param hertz - samples per second, 50 to 2,000
 */
export function detectBeats(samples: Float64Array, hertz: number, kind: BeatSignal): Beats {
  const shape = SHAPES[kind]
  const width = (seconds: number): number => Math.max(1, Math.round(seconds * hertz))
  const band = bandPass(samples, width(shape.fast), width(shape.slow))
  const energy = band.map(value => (shape.isOneSided && value < 0 ? 0 : value * value))
  const events = movingAverage(energy, width(shape.event))
  const beats = movingAverage(energy, width(shape.beat))
  const mean = movingAverage(energy, width(MEAN_SECONDS))
  const least = Math.round(shape.least * width(shape.event))
  // So near to an end the slow average is lopsided, and a slope looks like a beat.
  const edge = width(shape.slow) >> 1
  const at: number[] = []
  let begin = -1
  for (let i = 0; i <= samples.length; i++) {
    const isEvent = i < samples.length && (events[i] ?? 0) > (beats[i] ?? 0) + shape.offset * (mean[i] ?? 0)
    if (isEvent && begin < 0) begin = i
    if (isEvent || begin < 0) continue
    const peak = highest(band, begin, i, shape.isOneSided)
    const isInside = peak >= edge && peak < samples.length - edge
    if (isInside && i - begin >= least) addBeat(at, peak, band, hertz, shape)
    begin = -1
  }
  return { at, band }
}

/**
 * Two events nearer than a heart can beat are one: the higher stays. One that comes soon after another and is much lower is its
 * T wave or dicrotic wave, and one far below the beats around it is none.
 */
function addBeat(at: number[], peak: number, band: Float64Array, hertz: number, { refractory, late }: Shape): void {
  const height = (index: number): number => Math.abs(band[index] ?? 0)
  const last = at.at(-1)
  if (last == null) {
    at.push(peak)
    return
  }
  const seconds = (peak - last) / hertz
  if (seconds < refractory) {
    if (height(peak) > height(last)) at[at.length - 1] = peak
    return
  }
  if (seconds < late && height(peak) < LATE_HEIGHT * height(last)) return
  const recent = at.slice(-RECENT).map(height)
  const usual = recent.sort((a, b) => a - b)[recent.length >> 1] ?? 0
  // After a pause the heart may beat lower than before: what came before says nothing then.
  if (seconds < PAUSE_SECONDS && height(peak) < LEAST_HEIGHT * usual) return
  at.push(peak)
}

function highest(band: Float64Array, from: number, to: number, isOneSided: boolean): number {
  let best = from
  for (let i = from; i < to; i++) {
    const [value, most] = [band[i] ?? 0, band[best] ?? 0]
    if (isOneSided ? value > most : Math.abs(value) > Math.abs(most)) best = i
  }
  return best
}
