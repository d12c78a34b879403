import { VITAL_SIGNS } from '#core/fhir/vitals/vital-signs.ts'
import { SalusError } from '#core/error.ts'
import type { Metric } from '#core/batch/metrics.ts'

/** A value of a gateway or a patient to write as FHIR. */
export interface VitalReading {
  readonly metric: Metric
  /** value = mantissa × 10^exponent. */
  readonly mantissa: number
  readonly exponent: number
  readonly atMs: number
  /** For example `Patient/1` or `urn:uuid:…`. */
  readonly subject: string
}

const CATEGORY =
  '{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}'

/**
 * An Observation after FHIR's vital signs profile, as JSON text: the value keeps its decimals, `98.0` as well as `98`.
 *
 * @throws SalusError `FHIR_VITAL_UNKNOWN` for what is no vital sign
 */
export function observationOf({ metric, mantissa, exponent, atMs, subject }: VitalReading): string {
  const sign = VITAL_SIGNS.find(({ loinc, ucum }) => loinc.includes(metric.loinc) && ucum === metric.ucum)
  if (sign == null) throw new SalusError('FHIR_VITAL_UNKNOWN', 'There is no FHIR vital sign for what was measured.')
  const coding = [
    ...sign.loinc.map(code => ({ system: 'http://loinc.org', code })),
    { system: 'urn:iso:std:iso:11073:10101', code: String(metric.mdc) }
  ]
  const time = new Date(atMs).toISOString()
  const quantity = { unit: sign.unit, system: 'http://unitsofmeasure.org', code: sign.ucum }
  return (
    `{"resourceType":"Observation","status":"final","category":[${CATEGORY}],` +
    `"code":${JSON.stringify({ coding })},"subject":${JSON.stringify({ reference: subject })},` +
    `"effectiveDateTime":"${time}","valueQuantity":{"value":${decimal(mantissa, exponent)},${JSON.stringify(quantity).slice(1)}}`
  )
}

function decimal(mantissa: number, exponent: number): string {
  if (exponent >= 0) return `${mantissa}${mantissa === 0 ? '' : '0'.repeat(exponent)}`
  const digits = Math.abs(mantissa)
    .toString()
    .padStart(1 - exponent, '0')
  return `${mantissa < 0 ? '-' : ''}${digits.slice(0, exponent)}.${digits.slice(exponent)}`
}
