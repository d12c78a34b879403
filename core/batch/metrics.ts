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

/** Pulse rate from the cuff of a blood pressure monitor: MDC_PULS_RATE_NON_INV. */
export const PULSE_RATE_CUFF: Metric = { mdc: 149546, loinc: '8867-4', ucum: '/min' }

/** Perfusion index of the pulse oximeter: MDC_BLD_PERF_INDEX. */
export const PERFUSION_INDEX: Metric = { mdc: 150488, loinc: '61006-3', ucum: '%' }

/** Flow of oxygen to the patient; no MDC code of it is used here, so it is 0. */
export const OXYGEN_FLOW: Metric = { mdc: 0, loinc: '3151-8', ucum: 'L/min' }

/** Oxygen in what is breathed in, in per cent: 21 is air. */
export const OXYGEN_FRACTION: Metric = { mdc: 0, loinc: '3150-6', ucum: '%' }

/** Systolic pressure, not invasive: MDC_PRESS_BLD_NONINV_SYS. */
export const SYSTOLIC_PRESSURE: Metric = { mdc: 150021, loinc: '8480-6', ucum: 'mm[Hg]' }

/** Diastolic pressure, not invasive: MDC_PRESS_BLD_NONINV_DIA. */
export const DIASTOLIC_PRESSURE: Metric = { mdc: 150022, loinc: '8462-4', ucum: 'mm[Hg]' }

/** Mean pressure, not invasive: MDC_PRESS_BLD_NONINV_MEAN. */
export const MEAN_PRESSURE: Metric = { mdc: 150023, loinc: '8478-0', ucum: 'mm[Hg]' }

/** Systolic pressure in an artery: MDC_PRESS_BLD_ART_SYS. */
export const ARTERIAL_SYSTOLIC: Metric = { mdc: 150033, loinc: '8480-6', ucum: 'mm[Hg]' }

/** Diastolic pressure in an artery: MDC_PRESS_BLD_ART_DIA. */
export const ARTERIAL_DIASTOLIC: Metric = { mdc: 150034, loinc: '8462-4', ucum: 'mm[Hg]' }

/** Mean pressure in an artery: MDC_PRESS_BLD_ART_MEAN. */
export const ARTERIAL_MEAN: Metric = { mdc: 150035, loinc: '8478-0', ucum: 'mm[Hg]' }

/** Body temperature: MDC_TEMP_BODY. */
export const BODY_TEMPERATURE: Metric = { mdc: 150364, loinc: '8310-5', ucum: 'Cel' }

/** Level of consciousness: 0 alert, 1 new confusion, 2 to voice, 3 to pain, 4 unresponsive. */
export const CONSCIOUSNESS: Metric = { mdc: 0, loinc: '67775-7', ucum: '{score}' }

/** Glasgow coma score, 3 to 15. */
export const COMA_SCORE: Metric = { mdc: 0, loinc: '9269-2', ucum: '{score}' }
