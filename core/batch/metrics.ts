/**
 * The vital signs that monitors report, double coded as IEEE 11073-10101 (MDC) and LOINC, with their UCUM unit
 * (docs/specs/reading.md).
 */
export interface Metric {
  /** ISO/IEEE 11073-10101 code, for example 147842 (MDC_ECG_HEART_RATE). */
  readonly mdc: number
  /** LOINC code, for example `8867-4`. */
  readonly loinc: string
  /** UCUM unit, for example `/min`. */
  readonly ucum: string
}

/** Heart rate from the electrocardiogram: MDC_ECG_HEART_RATE. */
export const HEART_RATE: Metric = { mdc: 147842, loinc: '8867-4', ucum: '/min' }

/** Pulse rate from the pulse oximeter: MDC_PULS_OXIM_PULS_RATE. LOINC has one code for both rates, so MDC tells them apart. */
export const PULSE_RATE: Metric = { mdc: 149530, loinc: '8867-4', ucum: '/min' }

/** Respiratory rate: MDC_RESP_RATE. */
export const RESPIRATORY_RATE: Metric = { mdc: 151562, loinc: '9279-1', ucum: '/min' }

/** Oxygen saturation by pulse oximetry: MDC_PULS_OXIM_SAT_O2. FHIR's vital signs profile adds 2708-6 on export. */
export const OXYGEN_SATURATION: Metric = { mdc: 150456, loinc: '59408-5', ucum: '%' }
