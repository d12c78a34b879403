import { expect } from 'chai'
import { findSensitive } from '#core/fhir/sensitivity/find.ts'
import { LABELS } from '#core/fhir/sensitivity/labels.ts'
import { strictest } from '#core/fhir/sensitivity/rank.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'

const ICD = 'http://hl7.org/fhir/sid/icd-10-cm'
const SNOMED = 'http://snomed.info/sct'
const LOINC = 'http://loinc.org'
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'

const coded = (system: string, code: string): ReturnType<typeof findSensitive> =>
  findSensitive({ resourceType: 'Condition', code: { coding: [{ system, code }] } })
const labelled = (system: string, code: string): ReturnType<typeof findSensitive> =>
  findSensitive({ resourceType: 'Observation', meta: { security: [{ system, code }] }, code: { text: 'Weight' } })

describe('what is sensitive in a resource', () => {
  it('knows every sensitivity label of the table, and 42 CFR Part 2', () => {
    for (const [code, section] of Object.entries(LABELS)) expect(labelled(ACT_CODE, code), code).to.equal(section)
    const expected: [string, string][] = [
      ['42CFRPart2', 'substance-use'],
      ['SUD', 'substance-use'],
      ['ETH', 'substance-use'],
      ['PSY', 'mental'],
      ['SEX', 'sexual'],
      ['HIV', 'sexual'],
      ['SDV', 'sexual'],
      ['GDIS', 'genomics']
    ]
    for (const [code, section] of expected) expect(labelled(ACT_CODE, code), code).to.equal(section)
  })

  it('keeps what is restricted, of whatever, where secrecy is strict, and lets normal things be', () => {
    expect(labelled(CONFIDENTIALITY, 'R')).to.equal('mental')
    expect(labelled(CONFIDENTIALITY, 'V')).to.equal('mental')
    for (const code of ['N', 'L', 'M', 'U', 'toString', '__proto__'])
      expect(labelled(CONFIDENTIALITY, code)).to.equal(undefined)
    for (const code of ['EMP', 'TREAT', 'HTEST', 'constructor']) expect(labelled(ACT_CODE, code)).to.equal(undefined)
    const security = [
      { system: CONFIDENTIALITY, code: 'R' },
      { system: ACT_CODE, code: 'SUD' }
    ]
    expect(findSensitive({ meta: { security } })).to.equal('substance-use')
    // The same letters mean nothing in another system or place.
    expect(labelled('http://example.org', 'PSY')).to.equal(undefined)
    expect(findSensitive({ provision: { securityLabel: [{ system: CONFIDENTIALITY, code: 'R' }] } })).to.equal(
      undefined
    )
    expect(findSensitive({ meta: { security: [{ code: 'PSY' }] } })).to.equal(undefined)
  })

  it('knows clinical codes, by hierarchy where there is one', () => {
    const expected: [string, string, string | undefined][] = [
      [ICD, 'F11.20', 'substance-use'],
      [ICD, 'F1120', 'substance-use'],
      [ICD, 'f10.1', 'substance-use'],
      [ICD, 'F17.210', undefined],
      [ICD, 'F32.1', 'mental'],
      [ICD, 'F52.0', 'sexual'],
      [ICD, 'F55.1', 'substance-use'],
      [ICD, 'B20', 'sexual'],
      [ICD, 'Z21', 'sexual'],
      [ICD, 'A54.9', 'sexual'],
      [ICD, 'Q90.9', 'genomics'],
      [ICD, 'I10', undefined],
      [ICD, 'E11.9', undefined],
      [ICD, 'O80', undefined],
      ['http://hl7.org/fhir/sid/icd-9-cm', '305.1', undefined],
      ['http://hl7.org/fhir/sid/icd-9-cm', '304.00', 'substance-use'],
      ['http://www.whocc.no/atc', 'N07BC02', 'substance-use'],
      ['http://www.whocc.no/atc', 'N06AB06', 'mental'],
      ['http://www.whocc.no/atc', 'C09AA05', undefined],
      [SNOMED, '86406008', 'sexual'],
      [SNOMED, '7200002', 'substance-use'],
      [SNOMED, '35489007', 'mental'],
      [SNOMED, '38341003', undefined],
      [LOINC, '44261-6', 'mental'],
      [LOINC, '20447-9', 'sexual'],
      [LOINC, '51969-4', 'genomics'],
      [LOINC, '8867-4', undefined],
      [RXNORM, '6813', 'substance-use'],
      [RXNORM, '6448', 'mental'],
      [RXNORM, '314076', undefined]
    ]
    for (const [system, code, section] of expected) expect(coded(system, code), `${system} ${code}`).to.equal(section)
  })

  it('finds labels and codes wherever they stand', () => {
    const coding = [{ system: ICD, code: 'F20.0' }]
    expect(findSensitive({ contained: [{ resourceType: 'Condition', code: { coding } }] })).to.equal('mental')
    expect(findSensitive({ extension: [{ url: 'x', valueCodeableConcept: { coding } }] })).to.equal('mental')
    expect(findSensitive({ component: [{ valueCodeableConcept: { coding } }] })).to.equal('mental')
    expect(findSensitive({ diagnosis: [{ diagnosisCodeableConcept: { coding } }] })).to.equal('mental')
  })

  it('reads words where there is no code, and not the harmless ones like them', () => {
    const text = (words: string): ReturnType<typeof findSensitive> => findSensitive({ code: { text: words } })
    expect(text('HIV infection')).to.equal('sexual')
    expect(text('Alcohol use disorder, severe')).to.equal('substance-use')
    expect(text('Major depressive disorder')).to.equal('mental')
    expect(text('BRCA1 gene variant')).to.equal('genomics')
    for (const harmless of [
      'ST segment depression',
      'Hearing aids',
      'Alcohol swab',
      'Drug allergy',
      'Substance exposure',
      'Chive'
    ]) {
      expect(text(harmless), harmless).to.equal(undefined)
    }
  })

  it('prefers the strictest section', () => {
    expect(strictest(['mental', 'labs', 'substance-use'])).to.equal('substance-use')
    expect(strictest(['genomics', 'mental'])).to.equal('mental')
    expect(
      strictest(COMPARTMENTS.filter(each => !['substance-use', 'sexual', 'mental', 'genomics'].includes(each)))
    ).to.equal(undefined)
  })
})
