/**
 * A made-up patient's record as an R4 bundle, from a seed: the same seed makes the same text. It describes no person. Beside what
 * every record has, it holds something for each sensitive section, decimals with zeros at their end, and a report as a file.
 */

/** What to make up. */
export interface FhirPatientInit {
  readonly seed: number
  /** Visits, each with vital signs, a laboratory result and now and then a new problem. */
  readonly visits: number
}

const PROBLEMS: readonly (readonly [string, string, string])[] = [
  ['http://snomed.info/sct', '38341003', 'Hypertensive disorder'],
  ['http://snomed.info/sct', '44054006', 'Diabetes mellitus type 2'],
  ['http://hl7.org/fhir/sid/icd-10', 'F32.1', 'Moderate depressive episode'],
  ['http://hl7.org/fhir/sid/icd-10', 'F11.2', 'Opioid dependence'],
  ['http://snomed.info/sct', '195967001', 'Asthma'],
  ['http://hl7.org/fhir/sid/icd-10', 'A54.9', 'Gonococcal infection']
]
const DRUGS = ['Amlodipine 5 mg', 'Metformin 500 mg', 'Sertraline 50 mg', 'Salbutamol inhaler'] as const
const DAY_MS = 86_400_000
const FIRST_VISIT_MS = Date.UTC(2015, 2, 3, 9)
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
const CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical'

/** The bundle's text, one member a line as hospitals write it. */
export function syntheticFhirPatient({ seed, visits }: FhirPatientInit): string {
  const next = xorshift(seed)
  const pick = (below: number): number => next() % below
  const subject = { reference: 'Patient/p' }
  const entries: string[] = []
  const add = (
    resource: { readonly resourceType: string; readonly id: string },
    ...decimals: readonly string[]
  ): void => {
    // JSON.stringify cannot write 7.10: decimals are put in as text.
    let used = 0
    const text = JSON.stringify(resource, null, 2).replaceAll('"#"', () => decimals[used++] ?? '0')
    entries.push(
      `{ "fullUrl": "https://his.example/fhir/${resource.resourceType}/${resource.id}",\n  "resource": ${text} }`
    )
  }
  add({
    resourceType: 'Patient',
    id: 'p',
    ...{ name: [{ family: `Synthetic-${seed}` }], birthDate: `19${40 + pick(60)}-05-17` }
  })
  const active = {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }]
  }
  add({
    resourceType: 'AllergyIntolerance',
    id: 'a',
    ...{ clinicalStatus: active, code: { text: 'Penicillin' }, patient: subject }
  })
  for (let visit = 0; visit < visits; visit++) {
    const when = new Date(FIRST_VISIT_MS + visit * 91 * DAY_MS + pick(20) * DAY_MS).toISOString()
    const encounter = { reference: `Encounter/e${visit}` }
    const visited = {
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      period: { start: when }
    }
    add({ resourceType: 'Encounter', id: `e${visit}`, ...{ status: 'finished', ...visited, subject } })
    const observation = (
      id: string,
      category: string,
      code: string,
      unit: string
    ): { resourceType: string; id: string } => ({
      resourceType: 'Observation',
      id: `${id}${visit}`,
      ...{ status: 'final', category: [{ coding: [{ system: CATEGORY, code: category }] }] },
      ...{ code: { coding: [{ system: 'http://loinc.org', code }] }, subject, encounter, effectiveDateTime: when },
      ...{ valueQuantity: { value: '#', unit, system: 'http://unitsofmeasure.org', code: unit } }
    })
    add(observation('hr', 'vital-signs', '8867-4', '/min'), String(55 + pick(50)))
    add(observation('t', 'vital-signs', '8310-5', 'Cel'), `3${6 + pick(2)}.${pick(10)}0`)
    add(observation('k', 'laboratory', '2823-3', 'mmol/L'), `${3 + pick(2)}.${pick(10)}0`)
    if (visit < PROBLEMS.length) {
      const [system, code, display] = PROBLEMS[visit] ?? ['', '', '']
      const clinicalStatus = { coding: [{ system: CLINICAL, code: visit % 3 === 2 ? 'resolved' : 'active' }] }
      const concept = { coding: [{ system, code, display }] }
      add({
        resourceType: 'Condition',
        id: `c${visit}`,
        ...{ clinicalStatus, code: concept, subject, onsetDateTime: when.slice(0, 10) }
      })
      const medicationCodeableConcept = { text: DRUGS[visit % DRUGS.length] }
      const reasonReference = [{ reference: `Condition/c${visit}` }]
      const ordered = {
        status: 'active',
        intent: 'order',
        medicationCodeableConcept,
        subject,
        authoredOn: when,
        reasonReference
      }
      add({ resourceType: 'MedicationRequest', id: `m${visit}`, ...ordered })
    }
    if (visit % 4 !== 3) continue
    const data = Buffer.from(Array.from({ length: 4000 + pick(4000) }, () => pick(256))).toString('base64')
    const content = [{ attachment: { contentType: 'application/pdf', data } }]
    add({ resourceType: 'DocumentReference', id: `d${visit}`, ...{ status: 'current', subject, date: when, content } })
  }
  return `{ "resourceType": "Bundle", "type": "collection",\n  "entry": [\n${entries.join(',\n')}\n] }\n`
}

/** Marsaglia's xorshift32. */
function xorshift(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}
