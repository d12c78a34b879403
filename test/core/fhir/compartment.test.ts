import { expect } from 'chai'
import { compartmentOf, placeTogether, referencesIn, type PlacedResource } from '#core/fhir/compartment.ts'
import type { Compartment } from '#core/record/compartment.ts'

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const SUD = { security: [{ system: ACT_CODE, code: 'SUD' }] }

const place = (
  resources: readonly (Readonly<Record<string, unknown>> & { resourceType: string; id: string })[],
  elsewhere?: (name: string) => Compartment | undefined
): Compartment[] =>
  placeTogether(
    resources.map((resource): PlacedResource => {
      const { resourceType, id } = resource
      const names = [`${resourceType}/${id}`, `urn:uuid:${id}`]
      return { type: resourceType, names, references: referencesIn(resource), compartment: compartmentOf(resource) }
    }),
    elsewhere
  )

describe('the section that a resource lies in', () => {
  it('is one for all versions of a resource, and for what refers to any of them', () => {
    const first = { resourceType: 'Condition', id: '1', meta: SUD }
    const second = { resourceType: 'Condition', id: '1' }
    const about = { resourceType: 'Procedure', id: '2', reasonReference: [{ reference: 'Condition/1' }] }
    for (const versions of [
      [first, second, about],
      [second, first, about],
      [about, first, second]
    ]) {
      expect(new Set(place(versions))).to.deep.equal(new Set(['substance-use']))
    }
    const patient = { resourceType: 'Patient', id: '3' }
    expect(place([{ ...patient, meta: SUD }, patient])[1]).to.not.equal('substance-use')
  })

  it('follows from type and category', () => {
    const category = (code: string): object => ({ category: [{ coding: [{ code }] }] })
    const expected: [Compartment, Readonly<Record<string, unknown>>][] = [
      ['conditions', { resourceType: 'Condition' }],
      ['conditions', { resourceType: 'AllergyIntolerance' }],
      ['medications', { resourceType: 'MedicationRequest' }],
      ['billing', { resourceType: 'Claim' }],
      ['billing', { resourceType: 'ExplanationOfBenefit' }],
      ['labs', { resourceType: 'Observation' }],
      ['vitals', { resourceType: 'Observation', ...category('vital-signs') }],
      ['conditions', { resourceType: 'Observation', ...category('survey') }],
      ['genomics', { resourceType: 'DiagnosticReport', ...category('GE') }],
      ['imaging', { resourceType: 'DiagnosticReport', ...category('RAD') }],
      ['genomics', { resourceType: 'MolecularSequence' }],
      ['documents', { resourceType: 'SomethingNew' }],
      ['documents', { resourceType: 'toString' }],
      ['labs', { resourceType: 'Observation', ...category('hasOwnProperty') }],
      ['documents', {}]
    ]
    for (const [section, resource] of expected) expect(compartmentOf(resource)).to.equal(section)
  })

  it('is the sensitive one where a label or code asks for it, whatever the type', () => {
    for (const resourceType of ['Observation', 'Patient', 'Claim', 'Binary', 'SomethingNew']) {
      expect(compartmentOf({ resourceType, meta: SUD })).to.equal('substance-use')
    }
    const sequence = { resourceType: 'MolecularSequence', meta: { security: [{ system: ACT_CODE, code: 'PSY' }] } }
    expect(compartmentOf(sequence)).to.equal('mental')
  })

  it('goes with what is referred to: who refers to something sensitive tells of it', () => {
    const sections = place([
      {
        resourceType: 'Condition',
        id: 'c',
        meta: SUD,
        encounter: { reference: 'Encounter/e' },
        subject: { reference: 'Patient/p' }
      },
      { resourceType: 'Patient', id: 'p', link: [{ other: { reference: 'Condition/c' } }] },
      { resourceType: 'Encounter', id: 'e', subject: { reference: 'Patient/p' } },
      { resourceType: 'MedicationRequest', id: 'm', reasonReference: [{ reference: 'urn:uuid:c' }] },
      { resourceType: 'Provenance', id: 'v', target: [{ reference: 'MedicationRequest/m/_history/3' }] },
      {
        resourceType: 'Observation',
        id: 'o',
        subject: { reference: 'Patient/p' },
        encounter: { reference: 'Encounter/e' }
      }
    ])
    const s = 'substance-use'
    expect(sections).to.deep.equal([s, 'documents', 'documents', s, s, 'labs'])
  })

  it('goes with the whole: the parts of a sensitive report lie with it', () => {
    const sections = place([
      { resourceType: 'DiagnosticReport', id: 'd', meta: SUD, result: [{ reference: 'Observation/o' }] },
      { resourceType: 'Observation', id: 'o', specimen: { reference: 'Specimen/s' } },
      { resourceType: 'Specimen', id: 's' },
      { resourceType: 'DocumentReference', id: 'r', meta: SUD, content: [{ attachment: { url: 'Binary/b' } }] },
      { resourceType: 'Binary', id: 'b' },
      { resourceType: 'Binary', id: 'x' }
    ])
    const s = 'substance-use'
    expect(sections).to.deep.equal([s, s, s, s, s, 'documents'])
  })

  it('asks the record for what was imported before', () => {
    const request = { resourceType: 'MedicationRequest', id: 'm', reasonReference: [{ reference: 'Condition/old' }] }
    expect(place([request], name => (name === 'Condition/old' ? 'mental' : undefined))).to.deep.equal(['mental'])
    expect(place([request], () => 'labs')).to.deep.equal(['medications'])
  })

  it('settles long chains of references in little work', () => {
    const length = 50_000
    const chain = Array.from({ length }, (_, i) => ({
      resourceType: 'List',
      id: String(i),
      ...(i === length - 1 ? { meta: SUD } : { entry: [{ item: { reference: `List/${String(i + 1)}` } }] })
    }))
    expect(new Set(place(chain))).to.deep.equal(new Set(['substance-use']))
  })
})
