/** An electrocardiogram and a pulse made up for the tests: beats at given times, noise from a seed. */
import { seededRandom } from '#test/seeded-random.ts'

/** Samples per second of everything made up here. */
export const HERTZ = 250

/** Shape of a beat: how long each wave after the R wave, how wide, how high. */
const NORMAL: readonly (readonly [number, number, number])[] = [
  [-0.16, 0.025, 120],
  [-0.025, 0.01, -120],
  [0, 0.011, 1000],
  [0.03, 0.012, -220],
  [0.26, 0.045, 220]
]
const VENTRICULAR: readonly (readonly [number, number, number])[] = [
  [-0.04, 0.03, -500],
  [0.03, 0.045, 1100],
  [0.3, 0.06, -450]
]
const PULSE: readonly (readonly [number, number, number])[] = [
  [0.25, 0.07, 600],
  [0.45, 0.06, 180]
]

/** What a lead or finger shows. */
export interface MadeUp {
  /** Times of normal beats in seconds. */
  readonly normal: readonly number[]
  readonly ventricular?: readonly number[]
  /** Largest noise, in the units in which an R wave is 1,000. */
  readonly noise?: number
  readonly seed?: string
}

/** Times of beats at an even rate, from `from` to `to` seconds. */
export function evenly(from: number, to: number, interval: number): number[] {
  return Array.from({ length: Math.floor((to - from) / interval) }, (_, i) => from + i * interval)
}

/** A lead. */
export function ecg(seconds: number, { normal, ventricular = [], ...rest }: MadeUp): number[] {
  return draw(
    seconds,
    [
      [normal, NORMAL],
      [ventricular, VENTRICULAR]
    ],
    rest
  )
}

/** A plethysmogram. */
export function pulse(seconds: number, { normal, ventricular = [], ...rest }: MadeUp): number[] {
  return draw(seconds, [[[...normal, ...ventricular], PULSE]], rest)
}

function draw(
  seconds: number,
  beats: readonly (readonly [readonly number[], typeof NORMAL])[],
  { noise = 10, seed = 'heart' }: Pick<MadeUp, 'noise' | 'seed'>
): number[] {
  const words = new Int16Array(seededRandom(seed)(2 * seconds * HERTZ).buffer)
  const out = Array.from({ length: seconds * HERTZ }, (_, i) => (noise * (words[i] ?? 0)) / 32_768)
  for (const [times, waves] of beats) {
    for (const time of times) {
      for (const [after, width, height] of waves) {
        const middle = (time + after) * HERTZ
        const reach = 4 * width * HERTZ
        for (let i = Math.max(0, Math.ceil(middle - reach)); i < Math.min(out.length, middle + reach); i++) {
          out[i] = (out[i] ?? 0) + height * Math.exp(-((i - middle) ** 2) / (2 * (width * HERTZ) ** 2))
        }
      }
    }
  }
  return out.map(Math.round)
}
