/** Statistics that a few wild values do not move, in whole numbers: the same on every machine. */

/** Median; of an even number of values the lower whole number between the two middle ones. NaN of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : Math.floor(((sorted[middle - 1] ?? Number.NaN) + upper) / 2)
}

/**
 * Standard deviation of what would be normally distributed with the same median absolute deviation: 1.4826 of it.
 *
 * @see Rousseeuw & Croux, Alternatives to the median absolute deviation, JASA 1993
 */
export function sigmaOf(values: readonly number[], median: number): number {
  return Math.floor((medianOf(values.map(each => Math.abs(each - median))) * 14_826) / 10_000)
}

/** A value at a whole minute. */
export interface MinuteValue {
  readonly minute: number
  readonly milli: number
}

/**
 * Theil-Sen slope: the median of the slopes between all pairs, in thousandths per hour. 0 of fewer than two values. Minutes must differ.
 *
 * @see Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 1968
 */
export function slopeOf(values: readonly MinuteValue[]): number {
  const slopes: number[] = []
  for (const [i, a] of values.entries()) {
    for (const b of values.slice(i + 1)) slopes.push(Math.floor(((b.milli - a.milli) * 60) / (b.minute - a.minute)))
  }
  return slopes.length === 0 ? 0 : medianOf(slopes)
}
