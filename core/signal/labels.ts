/** What recorders call things: units and numerics of bedside monitors, as UCUM units and coded metrics (docs/specs/recordings.md). */
import {
  DIASTOLIC_PRESSURE,
  HEART_RATE,
  MEAN_PRESSURE,
  OXYGEN_SATURATION,
  PULSE_RATE,
  RESPIRATORY_RATE,
  SYSTOLIC_PRESSURE,
  type Metric
} from '#core/batch/metrics.ts'

const UNITS: ReadonlyMap<string, string> = new Map([
  ['mV', 'mV'],
  ['uV', 'uV'],
  ['V', 'V'],
  ['mmHg', 'mm[Hg]'],
  ['cmH2O', 'cm[H2O]'],
  ['bpm', '/min'],
  ['pm', '/min'],
  ['%', '%'],
  ['degC', 'Cel'],
  ['degrees', 'deg'],
  ['m/s^2', 'm/s2'],
  ['l/min', 'L/min']
])

const NUMERICS: ReadonlyMap<string, Metric> = new Map([
  ['HR', HEART_RATE],
  ['PULSE', PULSE_RATE],
  ['RESP', RESPIRATORY_RATE],
  ['SPO2', OXYGEN_SATURATION],
  ['NBPSYS', SYSTOLIC_PRESSURE],
  ['NBPDIAS', DIASTOLIC_PRESSURE],
  ['NBPMEAN', MEAN_PRESSURE],
  ['ABPSYS', { mdc: 150033, loinc: '8480-6', ucum: 'mm[Hg]' }],
  ['ABPDIAS', { mdc: 150034, loinc: '8462-4', ucum: 'mm[Hg]' }],
  ['ABPMEAN', { mdc: 150035, loinc: '8478-0', ucum: 'mm[Hg]' }]
])

/** UCUM unit of a recorder's unit; `1` where it is not known. */
export function ucumOf(units: string): string {
  return UNITS.get(units) ?? '1'
}

/** What a numeric of a monitor means, by its label; undefined where it is not known. */
export function numericMetric(label: string): Metric | undefined {
  return NUMERICS.get(label.replace(/[ _]/g, '').toUpperCase())
}
