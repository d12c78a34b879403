/**
 * The vital signs that the clinical rules know, and how a reading becomes one (docs/specs/scores.md). Values are whole
 * thousandths of the unit: nothing that is hashed or replayed is a floating point number.
 */
import {
  ARTERIAL_DIASTOLIC,
  ARTERIAL_MEAN,
  ARTERIAL_SYSTOLIC,
  BODY_TEMPERATURE,
  COMA_SCORE,
  CONSCIOUSNESS,
  DIASTOLIC_PRESSURE,
  HEART_RATE,
  MEAN_PRESSURE,
  OXYGEN_FLOW,
  OXYGEN_FRACTION,
  OXYGEN_SATURATION,
  PERFUSION_INDEX,
  PULSE_RATE,
  PULSE_RATE_CUFF,
  RESPIRATORY_RATE,
  SYSTOLIC_PRESSURE,
  type Metric
} from '#core/batch/metrics.ts'

/** Names of the vital signs; `oxygen` is 0 on air and 1,000 on supplemental oxygen. */
export const VITALS = [
  'heartRate',
  'pulseRate',
  'respiratoryRate',
  'oxygenSaturation',
  'oxygen',
  'systolic',
  'diastolic',
  'mean',
  'temperature',
  'consciousness',
  'comaScore',
  'perfusionIndex'
] as const

/** One of {@link VITALS}. */
export type VitalCode = (typeof VITALS)[number]

/** What is known of a patient, in thousandths of each unit; what is not known is absent. */
export type Values = Readonly<Partial<Record<VitalCode, number>>>

/** No value lies beyond, in thousandths: what a device sends beyond it is cut there, and no limit of plausibility lets it pass. */
export const MAX_MILLI = 1_000_000_000

/** On supplemental oxygen. */
const ON_OXYGEN_MILLI = 1000
const AIR_PERCENT_MILLI = 21_000
const LEAST_OXYGEN_PERCENT_MILLI = 15_000
const MOST_OXYGEN_PERCENT_MILLI = 100_000

interface Source {
  readonly metric: Metric
  readonly vital: VitalCode
  readonly convert?: (milli: number) => number
}

const SOURCES: readonly Source[] = [
  { metric: HEART_RATE, vital: 'heartRate' },
  { metric: PULSE_RATE, vital: 'pulseRate' },
  { metric: PULSE_RATE_CUFF, vital: 'pulseRate' },
  { metric: RESPIRATORY_RATE, vital: 'respiratoryRate' },
  { metric: OXYGEN_SATURATION, vital: 'oxygenSaturation' },
  { metric: OXYGEN_FLOW, vital: 'oxygen', convert: milli => (milli > 0 ? ON_OXYGEN_MILLI : milli) },
  { metric: OXYGEN_FRACTION, vital: 'oxygen', convert: oxygenOfFraction },
  { metric: SYSTOLIC_PRESSURE, vital: 'systolic' },
  { metric: DIASTOLIC_PRESSURE, vital: 'diastolic' },
  { metric: MEAN_PRESSURE, vital: 'mean' },
  { metric: ARTERIAL_SYSTOLIC, vital: 'systolic' },
  { metric: ARTERIAL_DIASTOLIC, vital: 'diastolic' },
  { metric: ARTERIAL_MEAN, vital: 'mean' },
  { metric: BODY_TEMPERATURE, vital: 'temperature' },
  { metric: CONSCIOUSNESS, vital: 'consciousness' },
  { metric: COMA_SCORE, vital: 'comaScore' },
  { metric: PERFUSION_INDEX, vital: 'perfusionIndex' }
]

/** Codes by which a vital sign is written; where several sensors measure it, those of the first in the list. */
export const METRIC_OF: Readonly<Record<VitalCode, Metric>> = Object.fromEntries(
  VITALS.map(vital => [vital, SOURCES.find(each => each.vital === vital)?.metric])
) as Record<VitalCode, Metric>

/** A fraction that nobody can breathe stays what it is, and so is implausible. */
function oxygenOfFraction(milli: number): number {
  if (milli < LEAST_OXYGEN_PERCENT_MILLI || milli > MOST_OXYGEN_PERCENT_MILLI) return MAX_MILLI
  return milli > AIR_PERCENT_MILLI ? ON_OXYGEN_MILLI : 0
}

/** A value by its codes. */
export interface CodedValue {
  readonly stream: Metric & { readonly exponent: number }
  /** value = mantissa × 10^exponent; null if there is none. */
  readonly mantissa: number | null
}

/** A value as the rules see it. */
export interface VitalValue {
  readonly vital: VitalCode
  /** Thousandths of the unit; null if there is none. */
  readonly milli: number | null
}

/** The vital sign that a reading is of; undefined if the rules know none with its MDC code (LOINC where that is 0) and unit. */
export function vitalOf({ stream, mantissa }: CodedValue): VitalValue | undefined {
  const source = SOURCES.find(
    ({ metric }) =>
      metric.ucum === stream.ucum &&
      (stream.mdc === 0 ? metric.loinc === stream.loinc : metric.mdc === stream.mdc && metric.mdc !== 0)
  )
  if (source == null) return undefined
  const milli = mantissa === null ? null : milliOf(mantissa, stream.exponent)
  return { vital: source.vital, milli: milli === null ? null : (source.convert?.(milli) ?? milli) }
}

/**
 * mantissa × 10^exponent in thousandths. What is finer is rounded up, so that "at most a limit" is answered as of the exact
 * value for every limit in whole thousandths.
 */
export function milliOf(mantissa: number, exponent: number): number {
  const shift = exponent + 3
  if (shift >= 0) return cut(mantissa * 10 ** shift)
  const divisor = 10 ** -shift
  const rest = mantissa % divisor
  return cut((mantissa - rest) / divisor + (rest > 0 ? 1 : 0))
}

function cut(milli: number): number {
  // Adding zero turns the -0 of a small negative value into 0.
  return Math.max(-MAX_MILLI, Math.min(MAX_MILLI, milli)) + 0
}

/** Tells whether a text names a vital sign. */
export function isVitalCode(text: string): text is VitalCode {
  return (VITALS as readonly string[]).includes(text)
}
