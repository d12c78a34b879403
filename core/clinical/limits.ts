/** Limits that adapt to a patient (docs/specs/rule-pack.md): inside a clinician's corridor, and never across their floor. */
import type { Baseline } from '#core/clinical/baseline.ts'
import type { Corridor } from '#core/clinical/order.ts'
import type { AdaptRule, AlarmTest } from '#core/clinical/rule-pack.ts'

/** A limit rule. */
export type LimitTest = Extract<AlarmTest, { on: 'limit' }>

const UNIT_MILLI = 1000

/**
 * Where the limit of a rule lies now, in thousandths: its standard value without a corridor or a baseline.
 *
 * @param baseline - of the first vital sign of the rule
 */
export function limitNow(
  test: LimitTest,
  corridor: Corridor | undefined,
  baseline: Baseline | undefined,
  adapt: AdaptRule
): number {
  const { side, limitMilli, floorMilli } = test
  if (corridor == null || floorMilli == null || baseline?.median == null) return limitMilli
  const away = Math.floor((baseline.sigma * adapt.widthMilli) / 1000)
  const wanted = side === 'low' ? wholeBelow(baseline.median - away) : -wholeBelow(-(baseline.median + away))
  const inside = Math.max(corridor.fromMilli, Math.min(corridor.toMilli, wanted))
  return side === 'low' ? Math.max(floorMilli, inside) : Math.min(floorMilli, inside)
}

function wholeBelow(milli: number): number {
  return Math.floor(milli / UNIT_MILLI) * UNIT_MILLI
}

/** Tells whether a value is at a limit or beyond it. */
export function isAtLimit(side: 'low' | 'high', milli: number, limitMilli: number): boolean {
  return side === 'low' ? milli <= limitMilli : milli >= limitMilli
}
