/** What can be searched for; the CapabilityStatement is made from the same table (docs/specs/fhir.md#search). */
import { RESOURCE_TYPES } from '#core/fhir/resource-types.ts'

/** How a parameter is compared. */
export type ParameterKind = 'token' | 'date' | 'reference'

/** One search parameter: the elements it looks at, all of them directly in the resource. */
export interface SearchParameter {
  readonly kind: ParameterKind
  readonly elements: readonly string[]
}

type Parameters = Readonly<Record<string, SearchParameter>>

const token = (...elements: string[]): SearchParameter => ({ kind: 'token', elements })
const date = (...elements: string[]): SearchParameter => ({ kind: 'date', elements })
const reference = (...elements: string[]): SearchParameter => ({ kind: 'reference', elements })

const SUBJECT = { patient: reference('subject', 'patient'), subject: reference('subject', 'patient') }
const COMMON = { identifier: token('identifier'), status: token('status') }
const CLINICAL = { ...SUBJECT, ...COMMON, encounter: reference('encounter', 'context') }
const CODED = { ...CLINICAL, code: token('code'), category: token('category') }

const OF_TYPE: Readonly<Record<string, Parameters>> = {
  AllergyIntolerance: { ...CODED, 'clinical-status': token('clinicalStatus'), date: date('recordedDate') },
  CarePlan: { ...CODED, date: date('period') },
  CareTeam: { ...CODED, date: date('period') },
  Claim: { ...COMMON, patient: reference('patient'), created: date('created') },
  Composition: { ...CLINICAL, type: token('type'), category: token('category'), date: date('date') },
  Condition: {
    ...CODED,
    'clinical-status': token('clinicalStatus'),
    'onset-date': date('onsetDateTime', 'onsetPeriod'),
    'recorded-date': date('recordedDate'),
    date: date('onsetDateTime', 'onsetPeriod', 'recordedDate')
  },
  Consent: { ...COMMON, patient: reference('patient'), category: token('category'), date: date('dateTime') },
  Coverage: {
    ...COMMON,
    patient: reference('beneficiary'),
    beneficiary: reference('beneficiary'),
    type: token('type')
  },
  DiagnosticReport: { ...CODED, date: date('effectiveDateTime', 'effectivePeriod') },
  DocumentReference: { ...CLINICAL, type: token('type'), category: token('category'), date: date('date') },
  Encounter: { ...CLINICAL, class: token('class'), type: token('type'), date: date('period') },
  ExplanationOfBenefit: { ...COMMON, patient: reference('patient'), created: date('created') },
  Goal: { ...CODED, 'start-date': date('startDate') },
  ImagingStudy: { ...CLINICAL, modality: token('modality'), started: date('started'), date: date('started') },
  Immunization: {
    ...CLINICAL,
    'vaccine-code': token('vaccineCode'),
    code: token('vaccineCode'),
    date: date('occurrenceDateTime')
  },
  Media: { ...CLINICAL, type: token('type'), date: date('createdDateTime', 'createdPeriod') },
  MedicationAdministration: {
    ...CLINICAL,
    code: token('medicationCodeableConcept'),
    'effective-time': date('effectiveDateTime', 'effectivePeriod'),
    date: date('effectiveDateTime', 'effectivePeriod')
  },
  MedicationDispense: {
    ...CLINICAL,
    code: token('medicationCodeableConcept'),
    date: date('whenHandedOver', 'whenPrepared')
  },
  MedicationRequest: {
    ...CLINICAL,
    code: token('medicationCodeableConcept'),
    category: token('category'),
    intent: token('intent'),
    authoredon: date('authoredOn'),
    date: date('authoredOn')
  },
  MedicationStatement: {
    ...CLINICAL,
    code: token('medicationCodeableConcept'),
    category: token('category'),
    effective: date('effectiveDateTime', 'effectivePeriod'),
    date: date('effectiveDateTime', 'effectivePeriod')
  },
  Observation: { ...CODED, date: date('effectiveDateTime', 'effectivePeriod', 'effectiveInstant') },
  Organization: { identifier: token('identifier') },
  Patient: { identifier: token('identifier'), gender: token('gender'), birthdate: date('birthDate') },
  Practitioner: { identifier: token('identifier') },
  Procedure: { ...CODED, date: date('performedDateTime', 'performedPeriod') },
  Provenance: { target: reference('target'), recorded: date('recorded') },
  ServiceRequest: { ...CODED, authored: date('authoredOn'), date: date('authoredOn') }
}

/** Parameters of every type that look at what the record knows, not at an element. */
export const SPECIAL: Readonly<Record<string, ParameterKind>> = {
  _id: 'token',
  _lastUpdated: 'date',
  _security: 'token'
}

/** The parameters of one type beside {@link SPECIAL}. */
export function parametersOf(type: string): Parameters {
  if (Object.hasOwn(OF_TYPE, type)) return OF_TYPE[type] ?? {}
  return Object.hasOwn(RESOURCE_TYPES, type) ? CLINICAL : {}
}
