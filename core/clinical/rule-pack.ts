/**
 * What a rule pack says: scores, what a value may be, when an alarm is raised (docs/specs/rule-pack.md). All of it is data, in
 * whole numbers; `core/clinical/rule-pack-form.ts` is its byte form, and these maps are what is signed.
 */
import type { Risk, SaturationScale, ScoreTable } from '#core/clinical/score.ts'
import type { VitalCode } from '#core/clinical/vital.ts'

/** How urgent an alarm is, after IEC 60601-1-8; `info` is shown and signals nothing. */
export const PRIORITIES = ['high', 'medium', 'low', 'info'] as const
/** One of {@link PRIORITIES}. */
export type Priority = (typeof PRIORITIES)[number]

/** What can be wrong with the technique; the first four are found here, the others are told. */
export const CAUSES = [
  'silent',
  'heartSignalLost',
  'ratesDisagree',
  'frozen',
  'linkLost',
  'clockBad',
  'diskNearlyFull',
  'keyStore',
  'alarmPath',
  'gap'
] as const
/** One of {@link CAUSES}. */
export type Cause = (typeof CAUSES)[number]

/** What a zero can be: electrodes that have come off give neither heart rate nor respiration. */
export const ZERO_MEANINGS = ['value', 'missing', 'missingWithHeart'] as const
/** One of {@link ZERO_MEANINGS}. */
export type ZeroMeaning = (typeof ZERO_MEANINGS)[number]

/** What holds of one vital sign. Values are thousandths of the unit; 0 switches a rule off where it is a duration or a rate. */
export interface VitalRule {
  readonly vital: VitalCode
  /** How long a value counts; 0: for ever. */
  readonly validMs: number
  readonly minMilli: number
  readonly maxMilli: number
  /** What a zero is: a value, nothing measured, or nothing measured while the heart rate is missing as well. */
  readonly zero: ZeroMeaning
  /** Most that it changes in a second. */
  readonly slewMilliPerS: number
  /** Unchanged for so long, the sensor is suspected to have stopped. */
  readonly frozenMs: number
  /** Least spread that a baseline assumes; 0: no baseline is learned. */
  readonly sigmaMilli: number
  /** From so much change in an hour on, a trend is told. */
  readonly trendMilliPerHour: number
}

/** How values are held against each other. */
export interface GateRule {
  /** A jump is believed once the new level has lasted so long. */
  readonly settleMs: number
  /** Heart and pulse rate may differ by so much, */
  readonly differMilli: number
  /** for so long, before one is doubted, */
  readonly differMs: number
  /** which ends after so long. */
  readonly doubtMs: number
  /** Below this perfusion index the oximeter is doubted. */
  readonly perfusionMilli: number
}

/** What an alarm rule looks at. */
export type AlarmTest =
  | {
      readonly on: 'limit'
      /** The first whose value is known counts. */
      readonly vitals: readonly VitalCode[]
      /** `low`: at the limit or below is bad; `high`: at the limit or above. */
      readonly side: 'low' | 'high'
      readonly limitMilli: number
      /** Where a rule may adapt: the limit it never crosses, which a rule that cannot adapt watches. Null: it never adapts. */
      readonly floorMilli: number | null
      /** 0: on either scale of saturation. */
      readonly scale: 0 | SaturationScale
    }
  | { readonly on: 'score'; readonly score: string; readonly fromRisk: Risk }
  | { readonly on: 'drift'; readonly vital: VitalCode }
  | { readonly on: 'technical'; readonly cause: Cause; readonly vitals: readonly VitalCode[] }

/** When an alarm is raised, and how. */
export interface AlarmRule {
  /** Unique in the pack. */
  readonly name: string
  readonly priority: Priority
  /** Alarm condition delay: bad for so long. */
  readonly delayMs: number
  /** Good for so long before it is over. */
  readonly clearMs: number
  /** It stays until someone acknowledges it. */
  readonly isLatched: boolean
  /** Someone may switch it off for a time. */
  readonly mayBeOff: boolean
  readonly test: AlarmTest
}

/** How limits adapt to a patient. */
export interface AdaptRule {
  /** Weight of a new minute in the short-term mean, in thousandths. */
  readonly weightMilli: number
  /** Slack and bound of the cumulative sum, in thousandths of the spread. */
  readonly slackMilli: number
  readonly boundMilli: number
  /** Distance of an adapted limit from the median, in thousandths of the spread. */
  readonly widthMilli: number
  /** Five-minute means that a baseline needs. */
  readonly leastSlots: number
}

/** Times of delivery and of what people do. */
export interface AlarmTimers {
  /** T1: not confirmed for so long, the next channel is tried. */
  readonly confirmMs: number
  /** T2: not acknowledged for so long, the next person is told. */
  readonly respondMs: number
  /** Who switched something off, or acknowledged what goes on, is reminded so often. */
  readonly remindMs: number
  /** Longest pause of the sound, and longest time that a rule is off. */
  readonly maxPauseMs: number
  readonly maxOffMs: number
}

/** A rule pack. */
export interface RulePack {
  readonly name: string
  /** Rises with each revision. */
  readonly version: number
  readonly scores: readonly ScoreTable[]
  readonly vitals: readonly VitalRule[]
  readonly gate: GateRule
  readonly adapt: AdaptRule
  readonly alarms: readonly AlarmRule[]
  readonly timers: AlarmTimers
}
