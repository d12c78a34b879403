/** The sections of an International Patient Summary and what belongs into each (docs/specs/fhir.md#ips). */
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'

/** One section. */
export interface IpsSection {
  readonly title: string
  /** LOINC code. */
  readonly code: string
  /** Whether it stands in every summary, empty if need be. */
  readonly isRequired: boolean
  readonly holds: (resource: JsonObject) => boolean
}

const is =
  (type: string, holds: (resource: JsonObject) => boolean = () => true) =>
  (resource: JsonObject): boolean =>
    resource['resourceType'] === type &&
    resource['status'] !== 'entered-in-error' &&
    !isWithdrawn(resource) &&
    holds(resource)

const hasStatus =
  (...wanted: string[]) =>
  ({ status }: JsonObject): boolean =>
    typeof status === 'string' && wanted.includes(status)
const hasCategory =
  (...wanted: string[]) =>
  ({ category }: JsonObject): boolean =>
    codesOf(category).some(code => wanted.includes(code))
const isPast = ({ clinicalStatus }: JsonObject): boolean =>
  codesOf(clinicalStatus).some(code => ['inactive', 'remission', 'resolved'].includes(code))

const isProblem = is('Condition', each => !isPast(each))
const isPastProblem = is('Condition', isPast)
const FINAL = hasStatus('final', 'amended', 'corrected', 'preliminary')

/** In the order of the guide: the required ones first. */
export const IPS_SECTIONS: readonly IpsSection[] = [
  { title: 'Problems', code: '11450-4', isRequired: true, holds: isProblem },
  { title: 'Allergies and intolerances', code: '48765-2', isRequired: true, holds: is('AllergyIntolerance') },
  {
    title: 'Medication',
    code: '10160-0',
    isRequired: true,
    holds: resource =>
      is('MedicationStatement', each => !hasStatus('not-taken')(each))(resource) ||
      is('MedicationRequest', hasStatus('active', 'on-hold', 'unknown'))(resource)
  },
  { title: 'Immunizations', code: '11369-6', isRequired: false, holds: is('Immunization', hasStatus('completed')) },
  {
    title: 'Results',
    code: '30954-2',
    isRequired: false,
    holds: resource =>
      is('DiagnosticReport', FINAL)(resource) ||
      is('Observation', each => FINAL(each) && hasCategory('laboratory', 'imaging')(each))(resource)
  },
  {
    title: 'Procedures',
    code: '47519-4',
    isRequired: false,
    holds: is('Procedure', hasStatus('completed', 'in-progress'))
  },
  { title: 'Medical devices', code: '46264-8', isRequired: false, holds: is('DeviceUseStatement') },
  {
    title: 'Vital signs',
    code: '8716-3',
    isRequired: false,
    holds: is('Observation', each => FINAL(each) && hasCategory('vital-signs')(each))
  },
  {
    title: 'Social history',
    code: '29762-2',
    isRequired: false,
    holds: is('Observation', each => FINAL(each) && hasCategory('social-history')(each))
  },
  { title: 'Past problems', code: '11348-0', isRequired: false, holds: isPastProblem },
  { title: 'Alerts', code: '104605-1', isRequired: false, holds: is('Flag', hasStatus('active')) },
  {
    title: 'Plan of care',
    code: '18776-5',
    isRequired: false,
    holds: is('CarePlan', hasStatus('active', 'on-hold', 'draft'))
  }
]

function isWithdrawn({ verificationStatus }: JsonObject): boolean {
  return codesOf(verificationStatus).some(code => code === 'entered-in-error' || code === 'refuted')
}

/** The codes of a concept or of a list of them. */
function codesOf(concepts: unknown): string[] {
  return [concepts].flat().flatMap(concept => {
    const coding = isJsonObject(concept) && Array.isArray(concept['coding']) ? (concept['coding'] as unknown[]) : []
    return coding.filter(isJsonObject).flatMap(({ code }) => (typeof code === 'string' ? [code] : []))
  })
}
