/** What of an entry may be tagged for nodes that must not read it (docs/specs/blind-index.md): coarse, common, never words. */
import type { Compartment } from '#core/record/compartment.ts'
import type { Searchable } from '#core/search/searchable.ts'

/** A field and its bucketed value, in one quarter of a year. */
export interface BlindTerm {
  readonly field: 'type' | 'code'
  readonly value: string
  /** For example `2026Q4`. */
  readonly quarter: string
}

const DAY_MS = 86_400_000
const MONTHS_OF_QUARTER = 3

/** The most quarters that one entry is tagged in: of what lasts longer, the last ones. */
const MAX_QUARTERS = 4

/** Compartments whose very frequencies would tell: their entries get no tags at all. */
export const UNTAGGED: readonly Compartment[] = ['mental', 'sexual', 'substance-use', 'genomics']

/** Resource types so common that having them says nothing; all others are one bucket. */
const COMMON_TYPES: readonly string[] = [
  'AllergyIntolerance',
  'Condition',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Immunization',
  'MedicationRequest',
  'MedicationStatement',
  'Observation',
  'Procedure'
]

/** LOINC codes of vital signs and of the tests that nearly everyone has; no other code is ever tagged. */
const COMMON_CODES: readonly string[] = [
  '8867-4', // heart rate
  '9279-1', // respiratory rate
  '59408-5', // oxygen saturation by pulse oximetry
  '2708-6', // oxygen saturation
  '8310-5', // body temperature
  '85354-9', // blood pressure
  '8480-6', // systolic
  '8462-4', // diastolic
  '29463-7', // body weight
  '8302-2', // body height
  '39156-5', // body mass index
  '58410-2', // complete blood count
  '718-7', // haemoglobin
  '6690-2', // leucocytes
  '777-3', // platelets
  '2160-0', // creatinine
  '2345-7', // glucose
  '2951-2', // sodium
  '2823-3', // potassium
  '4548-4', // haemoglobin A1c
  '2093-3' // cholesterol
]
const LOINC = 'code:http://loinc.org|'
const TYPE = 'type:'

/** The blind terms of an entry. */
export function blindTermsOf({ terms, fromDay, toDay }: Searchable, compartment: Compartment): BlindTerm[] {
  if (UNTAGGED.includes(compartment)) return []
  const values: Pick<BlindTerm, 'field' | 'value'>[] = []
  for (const term of terms) {
    const [type, code] = [after(term, TYPE), after(term, LOINC)]
    if (type != null) values.push({ field: 'type', value: COMMON_TYPES.includes(type) ? type : 'other' })
    if (code != null && COMMON_CODES.includes(code)) values.push({ field: 'code', value: code })
  }
  return quartersOf(fromDay, toDay).flatMap(quarter => values.map(each => ({ ...each, quarter })))
}

/** What a question comes to, without its quarter; undefined if nothing is ever tagged so. */
export function termOfQuestion({
  type,
  code
}: {
  readonly type?: string
  readonly code?: string
}): Pick<BlindTerm, 'field' | 'value'> | undefined {
  // A code says more than a type.
  if (code != null) return COMMON_CODES.includes(code) ? { field: 'code', value: code } : undefined
  if (type == null) return undefined
  return { field: 'type', value: COMMON_TYPES.includes(type) ? type : 'other' }
}

/** The quarters that a span of days touches, newest first, at most {@link MAX_QUARTERS}. */
export function quartersOf(fromDay: number, toDay: number): string[] {
  const [first, last] = [quarterNumber(fromDay), quarterNumber(toDay)]
  const quarters: string[] = []
  for (let number = last; number >= first && quarters.length < MAX_QUARTERS; number--) {
    quarters.push(`${String(Math.floor(number / 4)).padStart(4, '0')}Q${String((number % 4) + 1)}`)
  }
  return quarters
}

function quarterNumber(day: number): number {
  const date = new Date(day * DAY_MS)
  return 4 * date.getUTCFullYear() + Math.floor(date.getUTCMonth() / MONTHS_OF_QUARTER)
}

function after(term: string, prefix: string): string | undefined {
  return term.startsWith(prefix) ? term.slice(prefix.length) : undefined
}
