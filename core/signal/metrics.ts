/**
 * What waveforms measure, coded as IEEE 11073-10101 (MDC) and LOINC, with the UCUM unit of their physical values
 * (docs/specs/waveform.md). Where no code is sure, a waveform is generic and its channel's label says what it is.
 */
import type { Metric } from '#core/batch/metrics.ts'

/** Electrocardiogram, lead not named: MDC_ECG_ELEC_POTL. */
export const ECG: Metric = { mdc: 131328, loinc: '', ucum: 'mV' }

/** Pulse oximeter's plethysmogram: MDC_PULS_OXIM_PLETH. */
export const PLETH: Metric = { mdc: 150452, loinc: '', ucum: '1' }

/** Electromyogram: MDC_EMG_ELEC_POTL_MUSCL. */
export const EMG: Metric = { mdc: 153916, loinc: '', ucum: 'uV' }

/** A waveform without a sure code. */
export const OTHER_WAVEFORM: Metric = { mdc: 0, loinc: '', ucum: '1' }

/** Leads with a code of their own; the others are plain ECG. */
const LEADS: Readonly<Record<string, number>> = {
  I: 131329,
  II: 131330,
  MLII: 131330,
  III: 131389
}
const ECG_LEADS = new Set([
  'I',
  'II',
  'III',
  'V',
  'MCL1',
  'MLII',
  'AVR',
  'AVL',
  'AVF',
  'VX',
  'VY',
  'VZ',
  'ECG',
  'V1',
  'V2',
  'V3',
  'V4',
  'V5',
  'V6'
])

/** What a channel measures, from the label that a recorder gave it and the unit of its values. */
export function waveformMetric(label: string, ucum: string): Metric {
  const name = label.toUpperCase()
  if (ECG_LEADS.has(name)) return { ...ECG, mdc: LEADS[name] ?? ECG.mdc, ucum }
  if (name === 'PLETH' || name === 'PPG') return { ...PLETH, ucum }
  if (name === 'EMG') return { ...EMG, ucum }
  return { ...OTHER_WAVEFORM, ucum }
}
