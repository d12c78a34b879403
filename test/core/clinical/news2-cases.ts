/**
 * The boundaries of NEWS2 for tests.
 *
 * @see Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, Chart 1. © RCP 2017; reproduced with
 * acknowledgement
 */
import type { SaturationScale } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

/** One side of one boundary. */
export interface BoundaryCase {
  readonly vital: VitalCode
  readonly value: number
  readonly points: number
  readonly scale: SaturationScale
  readonly isOnOxygen: boolean
}

const boundary = (
  vital: VitalCode,
  pairs: readonly (readonly [value: number, points: number])[],
  scale: SaturationScale = 1,
  isOnOxygen = false
): BoundaryCase[] => pairs.map(([value, points]) => ({ vital, value, points, scale, isOnOxygen }))

/** Both sides of every boundary. */
export const BOUNDARIES: readonly BoundaryCase[] = [
  // prettier-ignore
  ...boundary('respiratoryRate', [[8, 3], [9, 1], [11, 1], [12, 0], [20, 0], [21, 2], [24, 2], [25, 3]]),
  // prettier-ignore
  ...boundary('oxygenSaturation', [[91, 3], [92, 2], [93, 2], [94, 1], [95, 1], [96, 0]]),
  // prettier-ignore
  ...boundary('oxygenSaturation', [[83, 3], [84, 2], [85, 2], [86, 1], [87, 1], [88, 0], [93, 0], [97, 0]], 2),
  // prettier-ignore
  ...boundary('oxygenSaturation',
    [[83, 3], [84, 2], [85, 2], [86, 1], [87, 1], [88, 0], [92, 0], [93, 1], [94, 1], [95, 2], [96, 2], [97, 3]], 2, true),
  // prettier-ignore
  ...boundary('systolic', [[90, 3], [91, 2], [100, 2], [101, 1], [110, 1], [111, 0], [219, 0], [220, 3]]),
  // prettier-ignore
  ...boundary('heartRate', [[40, 3], [41, 1], [50, 1], [51, 0], [90, 0], [91, 1], [110, 1], [111, 2], [130, 2], [131, 3]]),
  // prettier-ignore
  ...boundary('temperature', [[35, 3], [35.1, 1], [36, 1], [36.1, 0], [38, 0], [38.1, 1], [39, 1], [39.1, 2]]),
  // prettier-ignore
  ...boundary('consciousness', [[0, 0], [1, 3], [2, 3], [3, 3], [4, 3]])
]
