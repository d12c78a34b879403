/**
 * An alert as FHIR (docs/specs/alarm.md#fhir): as the R6 ballot has it, and in R4, which has no such resource.
 *
 * @see https://hl7.org/fhir/6.0.0-ballot4/devicealert.html
 */
import { toHex } from '#core/encoding/bytes.ts'
import { alarmContent, type Alarm } from '#core/consent/alarm.ts'
import { observationOf } from '#core/fhir/vitals/observation.ts'
import type { Content } from '#core/record/content.ts'
import { METRIC_OF, type VitalCode } from '#core/clinical/vital.ts'
import type { Alert } from '#core/clinical/alert.ts'

const RULE_SYSTEM = 'urn:salus:alarm-rule'
const ALERT_SYSTEM = 'urn:salus:alert'
const PRIORITY_SYSTEM = 'http://hl7.org/fhir/devicealert-priority'
const TYPE_SYSTEM = 'http://hl7.org/fhir/devicealert-type'

/** Who it is about, and which device found it, for example `Patient/1` and `Device/2`. */
export interface AlertReferences {
  readonly subject: string
  readonly device: string
}

/** A `DeviceAlert` of FHIR R6, as of its first full ballot. */
export function deviceAlertOf(alert: Alert, id: Uint8Array, { subject, device }: AlertReferences): object {
  const { kind, rule, priority, sinceMs, atMs } = alert
  const isOver = kind === 'cleared'
  const type = alert.isTechnical ? 'technical' : 'physiological'
  const end = isOver ? { end: new Date(atMs).toISOString() } : {}
  return {
    resourceType: 'DeviceAlert',
    identifier: [{ system: ALERT_SYSTEM, value: toHex(id) }],
    status: isOver ? 'completed' : 'in-progress',
    type: { coding: [{ system: TYPE_SYSTEM, code: type }] },
    priority: { coding: [{ system: PRIORITY_SYSTEM, code: priority }] },
    code: { coding: [{ system: RULE_SYSTEM, code: rule }] },
    subject: { reference: subject },
    occurrencePeriod: { start: new Date(sinceMs).toISOString(), ...end },
    device: { reference: device },
    signal: [{ activationState: kind === 'onset' ? 'on' : 'off', presence: presenceOf(kind) }]
  }
}

function presenceOf(kind: Alert['kind']): string {
  return kind === 'onset' ? 'on' : kind === 'acknowledged' ? 'ack' : 'off'
}

/** The same in R4: a collection of the value that led to it, where there is one, and a `DetectedIssue`. */
export function alertBundleOf(alert: Alert, id: Uint8Array, { subject, device }: AlertReferences): object {
  const { kind, rule, priority, sinceMs, atMs, vital, milli } = alert
  const observationUrl = 'urn:salus:alert-observation'
  const metric = vital === null || milli === null ? undefined : metricOf(vital)
  const observation =
    metric == null || milli === null
      ? undefined
      : (JSON.parse(observationOf({ metric, ...decimalOf(milli), atMs, subject })) as object)
  const issue = {
    resourceType: 'DetectedIssue',
    identifier: [{ system: ALERT_SYSTEM, value: toHex(id) }],
    status: kind === 'onset' ? 'preliminary' : 'final',
    code: { coding: [{ system: RULE_SYSTEM, code: rule }] },
    severity: SEVERITY_OF[priority],
    patient: { reference: subject },
    identifiedPeriod: { start: new Date(sinceMs).toISOString(), end: new Date(atMs).toISOString() },
    author: { reference: device },
    ...(observation == null ? {} : { implicated: [{ reference: observationUrl }] })
  }
  const entry = [
    ...(observation == null ? [] : [{ fullUrl: observationUrl, resource: observation }]),
    { resource: issue }
  ]
  return { resourceType: 'Bundle', type: 'collection', entry }
}

/** Thousandths without zeros at their end: no more decimals than were measured. */
function decimalOf(milli: number): { readonly mantissa: number; readonly exponent: number } {
  let [mantissa, exponent] = [milli, -3]
  for (; exponent < 0 && mantissa % 10 === 0; exponent++) mantissa /= 10
  return { mantissa, exponent }
}

const SEVERITY_OF = { high: 'high', medium: 'moderate', low: 'low', info: 'low' } as const

/** Codes of a vital sign that FHIR's vital signs have; oxygen and consciousness are none of them. */
function metricOf(vital: VitalCode): (typeof METRIC_OF)[VitalCode] | undefined {
  return NOT_FHIR.includes(vital) ? undefined : METRIC_OF[vital]
}

const NOT_FHIR: readonly VitalCode[] = ['oxygen', 'consciousness', 'comaScore', 'perfusionIndex']

/**
 * What a high alarm writes into the record for the patient's standing instruction (docs/specs/standing-instruction.md); undefined of
 * any other.
 *
 * @param crew - address of the crew that was sent, 20 bytes; null: the instruction's first
 */
export function emergencyOf(alert: Alert, crew: Uint8Array | null): Content | undefined {
  const { kind, priority, rule, atMs } = alert
  if (kind !== 'onset' || priority !== 'high') return undefined
  const alarm: Alarm = { severity: 'high', atMs, crew, isRetracted: false }
  return alarmContent(alarm, `Alarm of the bedside gateway: ${rule}`)
}
