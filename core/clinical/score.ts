/** Early warning scores as tables, and the one function that reads them (docs/specs/scores.md). */
import type { Values, VitalCode } from '#core/clinical/vital.ts'

/** How grave a score is: 0 none, 1 low, 2 low-medium, 3 medium, 4 high. */
export type Risk = 0 | 1 | 2 | 3 | 4

/** Scale of oxygen saturation: 2 is for hypercapnic failure and a clinician's decision only. */
export type SaturationScale = 1 | 2

/** Points by value: each band reaches up to its limit, that included; the last one has no end. */
export interface Band {
  /** Thousandths of the unit; {@link NO_END} in the last band. */
  readonly upToMilli: number
  readonly points: number
}

/** Limit of a last band. */
export const NO_END: number = Number.MAX_SAFE_INTEGER

/** One way to score a parameter. */
export interface BandRow {
  readonly vital: VitalCode
  /** Breathing what; not to know is to be on air, for an absent parameter adds nothing. */
  readonly on: 'any' | 'air' | 'oxygen'
  /** 0: on either scale. */
  readonly scale: 0 | SaturationScale
  readonly bands: readonly Band[]
}

/** One parameter of a score. The first row that fits and whose vital sign is known counts. */
export interface ScoreParameter {
  readonly name: string
  readonly rows: readonly BandRow[]
}

/** A score. */
export interface ScoreTable {
  readonly name: string
  readonly parameters: readonly ScoreParameter[]
  /** Risk from a total on; the last that fits counts, 0 below the first. */
  readonly risks: readonly { readonly fromTotal: number; readonly risk: Risk }[]
  /** So many points in any single parameter are at least this risk; 0 points where there is no such rule. */
  readonly single: { readonly points: number; readonly risk: Risk }
}

/** A score of what is known. */
export interface ScoreResult {
  readonly total: number
  readonly risk: Risk
  /** Most points of one parameter. */
  readonly worst: number
  /** Points by parameter; null where it is not known, which makes the score a partial one. */
  readonly points: readonly (number | null)[]
  /** Bit i is set where parameter i is not known; 0 is a whole score. */
  readonly missing: number
}

/** Scores what is known. A missing parameter adds nothing and is named. */
export function scoreOf(table: ScoreTable, values: Values, scale: SaturationScale): ScoreResult {
  const points: (number | null)[] = []
  let total = 0
  let worst = 0
  let missing = 0
  for (const [i, { rows }] of table.parameters.entries()) {
    const scored = pointsOf(rows, values, scale)
    points.push(scored)
    if (scored === null) {
      missing |= 1 << i
    } else {
      total += scored
      worst = Math.max(worst, scored)
    }
  }
  return { total, worst, risk: riskOf(table, total, worst), points, missing }
}

function pointsOf(rows: readonly BandRow[], values: Values, scale: SaturationScale): number | null {
  const breathes = (values.oxygen ?? 0) > 0 ? 'oxygen' : 'air'
  for (const { vital, on, scale: only, bands } of rows) {
    const value = values[vital]
    if (value == null || (on !== 'any' && on !== breathes) || (only !== 0 && only !== scale)) continue
    return bandOf(bands, value)
  }
  return null
}

/** Points of a value. */
function bandOf(bands: readonly Band[], milli: number): number {
  for (const { upToMilli, points } of bands) if (milli <= upToMilli) return points
  return 0
}

function riskOf({ risks, single }: ScoreTable, total: number, worst: number): Risk {
  let risk: Risk = 0
  for (const each of risks) if (total >= each.fromTotal) risk = each.risk
  return single.points > 0 && worst >= single.points && single.risk > risk ? single.risk : risk
}
