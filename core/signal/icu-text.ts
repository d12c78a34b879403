/**
 * Reads an intensive-care stay as the PhysioNet/CinC Challenge 2012 wrote it: `HH:MM,Parameter,Value`, −1 for missing
 * (docs/specs/recordings.md). Vital signs become values; laboratory results and who the person is are left out.
 *
 * @see https://physionet.org/content/challenge-2012/1.0.0/
 */
import { SalusError } from '#core/error.ts'
import {
  BODY_TEMPERATURE,
  COMA_SCORE,
  DIASTOLIC_PRESSURE,
  HEART_RATE,
  MEAN_PRESSURE,
  OXYGEN_FRACTION,
  OXYGEN_SATURATION,
  RESPIRATORY_RATE,
  SYSTOLIC_PRESSURE,
  type Metric
} from '#core/batch/metrics.ts'

const HEADER = 'Time,Parameter,Value'
const MAX_BYTES: number = 4 * 2 ** 20
const ROW = /^(\d{2,3}):([0-5]\d),([A-Za-z0-9_]{0,32}),(-?\d{1,9}(?:\.\d{1,6})?)$/

interface Parameter {
  readonly metric: Metric
  readonly exponent: number
  /** Times 10^shift: fractions of oxygen are written as per cent. */
  readonly shift?: number
}

const invasive = (mdc: number, { loinc, ucum }: Metric): Parameter => ({ metric: { mdc, loinc, ucum }, exponent: -2 })
const PARAMETERS: ReadonlyMap<string, Parameter> = new Map([
  ['HR', { metric: HEART_RATE, exponent: -2 }],
  ['RespRate', { metric: RESPIRATORY_RATE, exponent: -2 }],
  ['SaO2', { metric: OXYGEN_SATURATION, exponent: -2 }],
  ['Temp', { metric: BODY_TEMPERATURE, exponent: -2 }],
  ['GCS', { metric: COMA_SCORE, exponent: 0 }],
  ['FiO2', { metric: OXYGEN_FRACTION, exponent: -2, shift: 2 }],
  ['NISysABP', { metric: SYSTOLIC_PRESSURE, exponent: -2 }],
  ['NIDiasABP', { metric: DIASTOLIC_PRESSURE, exponent: -2 }],
  ['NIMAP', { metric: MEAN_PRESSURE, exponent: -2 }],
  // Invasive: MDC_PRESS_BLD_ART_SYS, _DIA, _MEAN.
  ['SysABP', invasive(150033, SYSTOLIC_PRESSURE)],
  ['DiasABP', invasive(150034, DIASTOLIC_PRESSURE)],
  ['MAP', invasive(150035, MEAN_PRESSURE)]
])

/** One value of a stay. */
export interface ChartedValue {
  /** Milliseconds since admission. */
  readonly timeMs: number
  readonly metric: Metric
  readonly mantissa: number
  readonly exponent: number
}

/** What a stay holds of vital signs. */
export interface Stay {
  /** In the order of the file; times do not fall. */
  readonly values: readonly ChartedValue[]
  /** Rows marked missing (−1). */
  readonly missing: number
  /** Rows of parameters that are no vital sign here. */
  readonly others: number
}

/** Whether a text begins as a stay does. */
export function isStay(text: string): boolean {
  return text.startsWith(HEADER)
}

/**
 * Reads a stay.
 *
 * @throws SalusError `STAY_MALFORMED` if a line is none, times fall, or it is too large
 */
export function parseStay(text: string): Stay {
  if (text.length > MAX_BYTES) refuse('it is larger than 4 MiB')
  const [header, ...lines] = text.split(/\r?\n/)
  if (header !== HEADER) refuse('its first line is another')
  if (lines.pop() !== '') refuse('its last line is cut off')
  const values: ChartedValue[] = []
  let missing = 0
  let others = 0
  let lastMs = 0
  for (const line of lines) {
    const [, hours, minutes, name = '', value = ''] = ROW.exec(line) ?? refuse('a line is none')
    const timeMs = (60 * Number(hours) + Number(minutes)) * 60_000
    if (timeMs < lastMs) refuse('its times fall')
    lastMs = timeMs
    const parameter = PARAMETERS.get(name)
    if (parameter == null) others++
    else if (value === '-1') missing++
    else
      values.push({
        timeMs,
        metric: parameter.metric,
        exponent: parameter.exponent,
        mantissa: scaled(value, parameter)
      })
  }
  return { values, missing, others }
}

function scaled(value: string, { exponent, shift = 0 }: Parameter): number {
  const mantissa = Math.round(Number(value) * 10 ** (shift - exponent))
  return Object.is(mantissa, -0) ? 0 : mantissa
}

function refuse(why: string): never {
  throw new SalusError('STAY_MALFORMED', `Refused the stay: ${why}.`)
}
