import { NO_END, type Band, type BandRow } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

/**
 * Bands written as the tables print them.
 *
 * @param limits - the last value of each band but the last, in whole units or thousandths of them
 * @param points - of each band: one more than there are limits
 */
export function bands(limits: readonly number[], points: readonly number[]): Band[] {
  return points.map((each, i) => ({
    upToMilli: limits[i] == null ? NO_END : Math.round(limits[i] * 1000),
    points: each
  }))
}

/** A row that fits on air and on oxygen, and on either scale. */
export function row(vital: VitalCode, limits: readonly number[], points: readonly number[]): BandRow {
  return { vital, on: 'any', scale: 0, bands: bands(limits, points) }
}
