/** Ready rules that a person can take over or change (docs/specs/consent.md). */
import { RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'
import type { RoleRule } from '#core/consent/role-rules.ts'
import type { Compartment } from '#core/record/compartment.ts'

const PHYSICIAN = 1
const NURSE = 2
const PHARMACIST = 6
const PHYSIOTHERAPIST = 7
const INSURANCE_CLERK = 20
const CARDIOLOGY = 4

const ICD_10 = 'http://hl7.org/fhir/sid/icd-10'
const SNOMED = 'http://snomed.info/sct'

/** Everyday care: nothing that needs a consent of its own. */
const CARE: readonly Compartment[] = ['vitals', 'medications', 'labs', 'conditions', 'documents', 'imaging']

/** Heart disease: chapter IX of ICD-10 but stroke and veins, and the commonest concepts of SNOMED CT. */
const HEART_DISEASE: readonly string[] = [
  ...['I05', 'I06', 'I07', 'I08', 'I09', 'I10', 'I11', 'I13', 'I20', 'I21', 'I22', 'I23', 'I24', 'I25'].map(
    code => `${ICD_10}|${code}`
  ),
  ...['I30', 'I31', 'I32', 'I33', 'I34', 'I35', 'I36', 'I37', 'I38', 'I39', 'I40', 'I41', 'I42', 'I43'].map(
    code => `${ICD_10}|${code}`
  ),
  ...['I44', 'I45', 'I46', 'I47', 'I48', 'I49', 'I50', 'I51', 'I52'].map(code => `${ICD_10}|${code}`),
  // Heart disease; coronary arteriosclerosis; heart failure; atrial fibrillation; myocardial infarction; hypertension.
  ...['56265001', '53741008', '84114007', '49436004', '22298006', '38341003'].map(code => `${SNOMED}|${code}`)
]

/** Rules by name. */
export const ROLE_TEMPLATES: Readonly<
  Record<'cardiologist' | 'nurse' | 'physiotherapist' | 'pharmacist' | 'insurer', RoleRule>
> = {
  /** Cardiologists read and write for their patients with heart disease. */
  cardiologist: {
    name: 'cardiologist',
    roles: [PHYSICIAN],
    specialties: [CARDIOLOGY],
    conditions: HEART_DISEASE,
    careTeamOnly: true,
    compartments: CARE,
    rights: RIGHT_READ | RIGHT_WRITE
  },
  /** Nurses of the care team read. */
  nurse: {
    name: 'nurse',
    roles: [NURSE],
    specialties: [],
    conditions: [],
    careTeamOnly: true,
    compartments: CARE,
    rights: RIGHT_READ
  },
  /** Physiotherapists of the care team follow vitals and conditions. */
  physiotherapist: {
    name: 'physiotherapist',
    roles: [PHYSIOTHERAPIST],
    specialties: [],
    conditions: [],
    careTeamOnly: true,
    compartments: ['vitals', 'conditions'],
    rights: RIGHT_READ
  },
  /** Pharmacists read and write what is taken. */
  pharmacist: {
    name: 'pharmacist',
    roles: [PHARMACIST],
    specialties: [],
    conditions: [],
    careTeamOnly: false,
    compartments: ['medications'],
    rights: RIGHT_READ | RIGHT_WRITE
  },
  /** Insurers see bills and nothing else. */
  insurer: {
    name: 'insurer',
    roles: [INSURANCE_CLERK],
    specialties: [],
    conditions: [],
    careTeamOnly: false,
    compartments: ['billing'],
    rights: RIGHT_READ
  }
}
