/**
 * What is usual for one patient: median and spread of a day by its hours, a short-term mean, a cumulative sum that finds a slow drift, and
 * the trend of half an hour (docs/specs/rule-pack.md). Nothing is learned from a minute with an artefact or an alarm.
 *
 * @see Page, Continuous inspection schemes, Biometrika 1954, for the cumulative sum
 */
import type { AdaptRule, VitalRule } from '#core/clinical/rule-pack.ts'
import { medianOf, sigmaOf, slopeOf, type MinuteValue } from '#core/clinical/robust.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

const MINUTE_MS = 60_000
const SLOT_MINUTES = 5
/** Five-minute means of a day. */
export const DAY_SLOTS = 288
/** A day has six parts of four hours. */
const PART_SLOTS = 48
/** Minutes that a trend is taken from. */
export const TREND_MINUTES = 30
const LEAST_TREND = 10

/** A five-minute mean. */
export interface SlotValue {
  /** Number since 1970. */
  readonly slot: number
  readonly milli: number
}

/** The baseline of one vital sign. All values in thousandths of its unit but for `meanMicro`. */
export interface Baseline {
  readonly vital: VitalCode
  /** The running minute since 1970, and what came in it. */
  readonly minute: number
  readonly sum: number
  readonly count: number
  readonly isTainted: boolean
  /** Means of the last half hour's minutes, tainted ones as well. */
  readonly recent: readonly MinuteValue[]
  /** Short-term mean in millionths; null before the first minute. */
  readonly meanMicro: number | null
  /** Cumulative sums of what lies above and below the median. */
  readonly above: number
  readonly below: number
  /** Minutes of the running five, and the means of a day. */
  readonly slotSum: number
  readonly slotCount: number
  readonly slots: readonly SlotValue[]
  /** Null until enough was learned. */
  readonly median: number | null
  readonly sigma: number
  readonly slopePerHour: number
}

/** A baseline that knows nothing. */
export function emptyBaseline(vital: VitalCode): Baseline {
  return {
    ...{ vital, minute: 0, sum: 0, count: 0, isTainted: false, recent: [], meanMicro: null, above: 0, below: 0 },
    ...{ slotSum: 0, slotCount: 0, slots: [], median: null, sigma: 0, slopePerHour: 0 }
  }
}

/** Minute of a time. */
export function minuteOf(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS)
}

/** Learns from the running minute and ends it. */
export function closeMinute(baseline: Baseline, rule: VitalRule, adapt: AdaptRule): Baseline {
  const { minute, sum, count, isTainted } = baseline
  const ended = { ...baseline, minute: 0, sum: 0, count: 0, isTainted: false }
  if (count === 0) return ended
  const milli = Math.floor(sum / count)
  const recent = [...baseline.recent, { minute, milli }].filter(each => each.minute > minute - TREND_MINUTES)
  const slopePerHour = recent.length < LEAST_TREND ? 0 : slopeOf(recent)
  const trended = { ...ended, recent, slopePerHour }
  return isTainted ? trended : learn(trended, minute, milli, rule, adapt)
}

function learn(baseline: Baseline, minute: number, milli: number, rule: VitalRule, adapt: AdaptRule): Baseline {
  const { meanMicro } = baseline
  const micro = milli * 1000
  const mean = meanMicro == null ? micro : meanMicro + Math.floor(((micro - meanMicro) * adapt.weightMilli) / 1000)
  const summed = { ...baseline, meanMicro: mean, ...sumsAfter(baseline, milli, adapt) }
  const slotSum = summed.slotSum + milli
  const slotCount = summed.slotCount + 1
  if (minute % SLOT_MINUTES !== SLOT_MINUTES - 1) return { ...summed, slotSum, slotCount }
  const slot = Math.floor(minute / SLOT_MINUTES)
  const slots = [...summed.slots, { slot, milli: Math.floor(slotSum / slotCount) }].filter(
    each => each.slot > slot - DAY_SLOTS
  )
  return { ...summed, slotSum: 0, slotCount: 0, slots, ...centreOf(slots, slot, rule, adapt) }
}

/** Both sums go to twice their bound at most, so that what is over is over soon. */
function sumsAfter(
  { above, below, median, sigma }: Baseline,
  milli: number,
  adapt: AdaptRule
): Pick<Baseline, 'above' | 'below'> {
  if (median == null) return { above: 0, below: 0 }
  const slack = Math.floor((sigma * adapt.slackMilli) / 1000)
  const most = 2 * boundOf(sigma, adapt)
  const after = (sum: number, distance: number): number => Math.max(0, Math.min(most, sum + distance - slack))
  return { above: after(above, milli - median), below: after(below, median - milli) }
}

function boundOf(sigma: number, adapt: AdaptRule): number {
  return Math.floor((sigma * adapt.boundMilli) / 1000)
}

/** Tells whether values have drifted away from the median. */
export function hasDrifted({ above, below, median, sigma }: Baseline, adapt: AdaptRule): boolean {
  const bound = boundOf(sigma, adapt)
  return median != null && (above > bound || below > bound)
}

/** Median and spread of the same part of the day, or of all of it while that has too few means. */
function centreOf(
  slots: readonly SlotValue[],
  slot: number,
  rule: VitalRule,
  adapt: AdaptRule
): Pick<Baseline, 'median' | 'sigma'> {
  if (slots.length < adapt.leastSlots) return { median: null, sigma: 0 }
  const part = slots.filter(each => partOf(each.slot) === partOf(slot))
  const values = (part.length < adapt.leastSlots ? slots : part).map(each => each.milli)
  const median = medianOf(values)
  return { median, sigma: Math.max(rule.sigmaMilli, sigmaOf(values, median)) }
}

function partOf(slot: number): number {
  return Math.floor((slot % DAY_SLOTS) / PART_SLOTS)
}
