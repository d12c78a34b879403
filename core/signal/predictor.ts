/**
 * Predicts the next sample of a waveform from those before it: a normalised least-mean-squares filter over the differences, as
 * Widrow and Hoff's rule with a step divided by the energy, in whole numbers only, so that it runs alike everywhere
 * (docs/specs/waveform.md). Products stay below 2^53 and every division is by a power of two: doubles hold them exactly.
 */
import { MAX_SAMPLE } from '#core/signal/segment.ts'

const ORDER = 16
const UNIT = 2 ** 16
/** The step: 2^-5 of the error per unit of energy. */
const STEP = UNIT / 2 ** 5
const FIRST_WEIGHT = 58_982
const MAX_WEIGHT = 2 ** 22
const ENERGY_FLOOR = 64
const MAX_PREDICTION = 2 * MAX_SAMPLE

/** The state of one waveform's prediction. */
export interface Predictor {
  /** What the next sample should be. */
  predict(): number
  /** Learns from the sample that came: a whole number of at most `MAX_SAMPLE` in magnitude. */
  learn(sample: number): void
}

/** Makes a predictor that has seen nothing. */
export function createPredictor(): Predictor {
  const weights = new Float64Array(ORDER)
  weights[0] = FIRST_WEIGHT
  // Twice as long as needed: each difference stands at two places, so that the newest ORDER always lie in one row.
  const history = new Float64Array(2 * ORDER)
  let newest = 0
  let energy = 0
  let last = 0
  let predicted = 0

  return {
    predict() {
      let sum = UNIT / 2
      for (let i = 0; i < ORDER; i++) sum += (weights[i] ?? 0) * (history[newest + i] ?? 0)
      predicted = clamp(Math.floor(sum / UNIT), MAX_PREDICTION)
      return last + predicted
    },
    learn(sample) {
      const difference = sample - last
      const error = difference - predicted
      const scale = STEP / 2 ** bitLength(energy + ENERGY_FLOOR)
      for (let i = 0; i < ORDER; i++) {
        const change = Math.floor(error * (history[newest + i] ?? 0) * scale + 0.5)
        weights[i] = clamp((weights[i] ?? 0) + change, MAX_WEIGHT)
      }
      const oldest = history[newest + ORDER - 1] ?? 0
      energy += difference * difference - oldest * oldest
      newest = newest === 0 ? ORDER - 1 : newest - 1
      history[newest] = difference
      history[newest + ORDER] = difference
      last = sample
    }
  }
}

function clamp(value: number, magnitude: number): number {
  if (value > magnitude) return magnitude
  return value < -magnitude ? -magnitude : value
}

/** Bits of a whole number below 2^53. */
function bitLength(value: number): number {
  return value >= 2 ** 32 ? 64 - Math.clz32(value / 2 ** 32) : 32 - Math.clz32(value)
}
