/** Vital signs in FHIR Observations, by LOINC code and UCUM unit (docs/specs/fhir.md#vital-signs). */
import { spanOfDate, type DateSpan } from '#core/fhir/clinical-day.ts'
import { ExactNumber } from '#core/fhir/json/exact.ts'
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'
import { rationalOf, type Rational } from '#core/fhir/vitals/rational.ts'
import { convert } from '#core/fhir/vitals/units.ts'

const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'

/** One kind of vital sign, in the unit that Salus keeps it in. */
export interface VitalSign {
  readonly name: string
  /** LOINC codes, the one written first. */
  readonly loinc: readonly string[]
  /** UCUM unit. */
  readonly ucum: string
  /** Unit for people. */
  readonly unit: string
}

/** FHIR's vital signs profile, US Core's, and what gateways measure beside. */
export const VITAL_SIGNS: readonly VitalSign[] = [
  { name: 'heart-rate', loinc: ['8867-4'], ucum: '/min', unit: 'beats/minute' },
  { name: 'respiratory-rate', loinc: ['9279-1'], ucum: '/min', unit: 'breaths/minute' },
  { name: 'oxygen-saturation', loinc: ['59408-5', '2708-6'], ucum: '%', unit: '%' },
  { name: 'body-temperature', loinc: ['8310-5'], ucum: 'Cel', unit: '°C' },
  { name: 'systolic-pressure', loinc: ['8480-6', '96608-5'], ucum: 'mm[Hg]', unit: 'mmHg' },
  { name: 'diastolic-pressure', loinc: ['8462-4', '96609-3'], ucum: 'mm[Hg]', unit: 'mmHg' },
  { name: 'mean-pressure', loinc: ['8478-0'], ucum: 'mm[Hg]', unit: 'mmHg' },
  { name: 'body-height', loinc: ['8302-2'], ucum: 'cm', unit: 'cm' },
  { name: 'body-weight', loinc: ['29463-7'], ucum: 'kg', unit: 'kg' },
  { name: 'body-mass-index', loinc: ['39156-5'], ucum: 'kg/m2', unit: 'kg/m²' },
  { name: 'head-circumference', loinc: ['9843-4'], ucum: 'cm', unit: 'cm' },
  { name: 'inhaled-oxygen-flow', loinc: ['3151-8'], ucum: 'L/min', unit: 'L/min' },
  { name: 'inhaled-oxygen-concentration', loinc: ['3150-6'], ucum: '%', unit: '%' }
]

/** A value that was measured. */
export interface MeasuredVital {
  readonly sign: VitalSign
  /** In the sign's unit, exact. */
  readonly value: Rational
  /** When; `undefined` where the observation does not say. */
  readonly span: DateSpan | undefined
}

/**
 * The vital signs of an Observation, its own and its components'. What has no value, another unit or another code is left out;
 * so is what was entered in error.
 *
 * @param observation - as `parseExactJson` reads it
 */
export function vitalSignsOf(observation: JsonObject): MeasuredVital[] {
  const { resourceType, status, effectiveDateTime, effectiveInstant, effectivePeriod, component } = observation
  if (resourceType !== 'Observation' || status === 'entered-in-error' || status === 'cancelled') return []
  const start = isJsonObject(effectivePeriod) ? effectivePeriod['start'] : undefined
  const when = [effectiveDateTime, effectiveInstant, start].find(each => typeof each === 'string')
  const span = typeof when === 'string' ? spanOfDate(when) : undefined
  const parts: unknown[] = [observation, ...(Array.isArray(component) ? (component as unknown[]) : [])]
  return parts.filter(isJsonObject).flatMap(part => {
    const sign = signOf(part['code'])
    const value = sign == null ? undefined : valueOf(part['valueQuantity'], sign)
    return sign == null || value == null ? [] : [{ sign, value, span }]
  })
}

function signOf(code: unknown): VitalSign | undefined {
  const coding = isJsonObject(code) && Array.isArray(code['coding']) ? (code['coding'] as unknown[]) : []
  const codes = coding.filter(isJsonObject).filter(each => each['system'] === LOINC)
  return VITAL_SIGNS.find(({ loinc }) => codes.some(each => loinc.includes(String(each['code']))))
}

function valueOf(quantity: unknown, { ucum }: VitalSign): Rational | undefined {
  if (!isJsonObject(quantity) || quantity['system'] !== UCUM || typeof quantity['code'] !== 'string') return undefined
  // ">" and "<" give no value that could be charted.
  if (quantity['comparator'] != null || !(quantity['value'] instanceof ExactNumber)) return undefined
  const value = rationalOf(quantity['value'].text)
  return value == null ? undefined : convert(value, quantity['code'], ucum)
}
