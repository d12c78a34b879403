/** Makes samples fit for filters: holes filled, and the overflow of a recorder undone. */
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'

const LEAST_BITS = 8
const MOST_BITS = 16

/** Samples without holes. */
export interface FilledSamples {
  readonly values: Float64Array
  /** Part of the samples that were missing, 0 to 1. */
  readonly missing: number
}

/** Fills holes with the sample before them, and undoes overflow. */
export function fillSamples(samples: ArrayLike<number>): FilledSamples {
  const values = new Float64Array(samples.length)
  let last = 0
  let missing = 0
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] ?? MISSING_SAMPLE
    if (sample === MISSING_SAMPLE) missing++
    else last = sample
    values[i] = last
  }
  undoOverflow(values)
  return { values, missing: samples.length === 0 ? 1 : missing / samples.length }
}

/**
 * A recorder of so many bits that ran over begins again at its other end: neighbouring samples then lie more than half of its range
 * apart. Only where the samples fill a signed range of 8 to 16 bits; a step that was none becomes one that the filters take out.
 */
function undoOverflow(values: Float64Array): void {
  let [least, most] = [0, 0]
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  let range = 2 ** LEAST_BITS
  while (range < 2 ** MOST_BITS && (least < -range / 2 || most >= range / 2)) range *= 2
  if (most - least < 0.9 * range || most - least > range) return
  let turns = 0
  let before = values[0] ?? 0
  for (let i = 1; i < values.length; i++) {
    const value = values[i] ?? 0
    if (value - before > 0.75 * range) turns--
    else if (before - value > 0.75 * range) turns++
    before = value
    values[i] = value + turns * range
  }
}
