/**
 * What Bluetooth sensors measure, double coded (docs/specs/gatt.md). The codes of the vital signs are those of the reference's
 * table; those marked so are from memory of the nomenclature and want a look into ISO/IEEE 11073-10101.
 */
import {
  BODY_TEMPERATURE,
  DIASTOLIC_PRESSURE,
  HEART_RATE,
  MEAN_PRESSURE,
  OXYGEN_SATURATION,
  PERFUSION_INDEX,
  PULSE_RATE,
  PULSE_RATE_CUFF,
  RESPIRATORY_RATE,
  SYSTOLIC_PRESSURE,
  type Metric
} from '#core/batch/metrics.ts'
import type { GattMetric } from '#core/gatt/measured.ts'

/** Heart rate of a chest strap. */
export const GATT_HEART_RATE: GattMetric = { ...HEART_RATE, exponent: 0 }

/** Time between two heart beats, in 1024ths of a second as the profile counts: MDC_ECG_TIME_PD_RR_GL (from memory). */
export const RR_INTERVAL: GattMetric = { mdc: 147240, loinc: '8637-1', ucum: 's/1024', exponent: 0 }

/** Energy since the sensor was reset; no code is sure. */
export const ENERGY: GattMetric = { mdc: 0, loinc: '', ucum: 'kJ', exponent: 0 }

/** Oxygen saturation. */
export const GATT_SATURATION: GattMetric = { ...OXYGEN_SATURATION, exponent: 0 }

/** Pulse rate of an oximeter. */
export const GATT_PULSE_RATE: GattMetric = { ...PULSE_RATE, exponent: 0 }

/** Pulse rate of a cuff. */
export const GATT_CUFF_PULSE_RATE: GattMetric = { ...PULSE_RATE_CUFF, exponent: 0 }

/** Pulse amplitude index of an oximeter: the same as the perfusion index. */
export const GATT_PERFUSION: GattMetric = { ...PERFUSION_INDEX, exponent: 0 }

/** Systolic pressure. */
export const GATT_SYSTOLIC: GattMetric = { ...SYSTOLIC_PRESSURE, exponent: 0 }

/** Diastolic pressure. */
export const GATT_DIASTOLIC: GattMetric = { ...DIASTOLIC_PRESSURE, exponent: 0 }

/** Mean pressure. */
export const GATT_MEAN_PRESSURE: GattMetric = { ...MEAN_PRESSURE, exponent: 0 }

/** Pressure in the cuff while it is measured: MDC_PRESS_CUFF (from memory). */
export const CUFF_PRESSURE: GattMetric = { mdc: 150300, loinc: '', ucum: 'mm[Hg]', exponent: 0 }

/** Body temperature. */
export const GATT_TEMPERATURE: GattMetric = { ...BODY_TEMPERATURE, exponent: -1 }

/** Body weight: MDC_MASS_BODY_ACTUAL (from memory). */
export const BODY_WEIGHT: GattMetric = { mdc: 188736, loinc: '29463-7', ucum: 'kg', exponent: -3 }

/** Body mass index: MDC_RATIO_MASS_BODY_LEN_SQ (from memory). */
export const BODY_MASS_INDEX: GattMetric = { mdc: 188752, loinc: '39156-5', ucum: 'kg/m2', exponent: -1 }

/** Height: MDC_LEN_BODY_ACTUAL (from memory). */
export const BODY_HEIGHT: GattMetric = { mdc: 188740, loinc: '8302-2', ucum: 'm', exponent: -3 }

/** Glucose in a sample of blood: MDC_CONC_GLU_GEN (from memory). */
export const GLUCOSE: GattMetric = { mdc: 160380, loinc: '15074-8', ucum: 'mol/L', exponent: -5 }

/** Respiratory rate of a generic sensor. */
export const GATT_RESPIRATORY_RATE: GattMetric = { ...RESPIRATORY_RATE, exponent: 0 }

const KNOWN: ReadonlyMap<number, GattMetric> = new Map(
  [
    GATT_HEART_RATE,
    RR_INTERVAL,
    GATT_SATURATION,
    GATT_PULSE_RATE,
    GATT_CUFF_PULSE_RATE,
    GATT_PERFUSION,
    GATT_SYSTOLIC,
    GATT_DIASTOLIC,
    GATT_MEAN_PRESSURE,
    CUFF_PRESSURE,
    GATT_TEMPERATURE,
    BODY_WEIGHT,
    BODY_MASS_INDEX,
    BODY_HEIGHT,
    GLUCOSE,
    GATT_RESPIRATORY_RATE
  ].map(metric => [metric.mdc, metric])
)

/** The same quantity in another unit, with the exponent usual there. */
export function inUnit(metric: GattMetric, ucum: string, exponent: number = metric.exponent): GattMetric {
  return { ...metric, ucum, exponent }
}

/** A metric by its MDC code, in a unit; unknown codes have no LOINC. */
export function metricOfCode(mdc: number, ucum: string): GattMetric {
  const known = KNOWN.get(mdc)
  const bare: Metric = { mdc, loinc: known?.loinc ?? '', ucum }
  return { ...bare, exponent: known?.ucum === ucum ? known.exponent : 0 }
}
