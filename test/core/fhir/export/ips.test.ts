import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { compartmentOf } from '#core/fhir/compartment.ts'
import { emergencySummary } from '#core/fhir/export/emergency.ts'
import { bundleOf, ndjsonOf } from '#core/fhir/export/bundle.ts'
import { patientSummary, type IpsResource } from '#core/fhir/export/ips.ts'
import { parseJson, type JsonObject } from '#core/fhir/json/parse.ts'
import { isSensitive } from '#core/fhir/sensitivity/rank.ts'
import { createFhirValidator } from '#core/fhir/validate.ts'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'

const INIT = {
  nowMs: Date.UTC(2026, 0, 1),
  documentId: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
  compositionUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1'
}
interface Section {
  readonly title: string
  readonly text: { readonly div: string }
  readonly entry?: { readonly reference: string }[]
  readonly emptyReason?: object
}

function resourcesOf(bundle: string): IpsResource[] {
  const { entry } = parseJson(utf8(bundle)) as { entry: { fullUrl: string; resource: JsonObject }[] }
  return entry
    .filter(({ resource }) => resource['resourceType'] !== 'Composition')
    .map(({ fullUrl, resource }) => ({ fullUrl, value: resource, text: JSON.stringify(resource) }))
}

function summaryOf(resources: readonly IpsResource[]): {
  text: string
  types: string[]
  sections: Section[]
  urls: string[]
} {
  const text = patientSummary(resources, INIT)
  const { entry } = parseJson(utf8(text)) as { entry: { fullUrl: string; resource: JsonObject }[] }
  const sections = entry[0]!.resource['section'] as Section[]
  return {
    text,
    sections,
    types: entry.map(({ resource }) => String(resource['resourceType'])),
    urls: entry.map(each => each.fullUrl)
  }
}

describe('International Patient Summary', () => {
  it('is a sound document in which every reference of a section is found', async () => {
    const validator = await createFhirValidator()
    const { text, types, sections, urls } = summaryOf(resourcesOf(syntheticFhirPatient({ seed: 7, visits: 6 })))
    expect(validator.check(utf8(text))).to.deep.equal([])
    expect(types.slice(0, 2)).to.deep.equal(['Composition', 'Patient'])
    const titles = sections.map(({ title }) => title)
    expect(titles).to.deep.equal([
      'Problems',
      'Allergies and intolerances',
      'Medication',
      'Results',
      'Vital signs',
      'Past problems'
    ])
    const named = sections.flatMap(({ entry }) => entry ?? []).map(({ reference }) => reference)
    expect(named.every(reference => urls.includes(reference))).to.equal(true)
    expect(new Set(urls).size).to.equal(urls.length)
    // What is referred to comes along.
    expect(types).to.include('Encounter')
    expect(types).not.to.include('DocumentReference')
  })

  it('says of what it must hold and does not have that it is not there', async () => {
    const patient = { resourceType: 'Patient', id: 'p' }
    const only = { fullUrl: 'urn:uuid:1', value: patient, text: JSON.stringify(patient) }
    const { text, sections } = summaryOf([only])
    expect(sections.map(({ emptyReason }) => emptyReason != null)).to.deep.equal([true, true, true])
    expect((await createFhirValidator()).check(utf8(text))).to.deep.equal([])
    await expectCode('FHIR_NO_PATIENT', () => patientSummary([], INIT))
  })

  it('leaves out what was entered in error, what is not taken, and what its maker left out', () => {
    const all = resourcesOf(syntheticFhirPatient({ seed: 8, visits: 6 }))
    const wrong = all.map(each =>
      each.value['resourceType'] === 'AllergyIntolerance'
        ? { ...each, value: { ...each.value, verificationStatus: { coding: [{ code: 'entered-in-error' }] } } }
        : each
    )
    expect(summaryOf(wrong).types).not.to.include('AllergyIntolerance')
    const plain = all.filter(({ value }) => !isSensitive(compartmentOf(value)))
    const { text } = summaryOf(plain)
    expect(text).to.contain('Hypertensive').and.not.to.contain('Opioid').and.not.to.contain('depressive')
  })

  it('shows an ambulance crew nothing sensitive unless the patient said so', () => {
    const all = resourcesOf(syntheticFhirPatient({ seed: 8, visits: 6 }))
    const placed = all.map(each => ({ ...each, compartment: compartmentOf(each.value) }))
    const plain = emergencySummary(placed, INIT)
    expect(plain).to.include({ compartment: 'emergency', type: 'application/fhir+json' })
    expect(plain.text).to.contain('Penicillin').and.contain('Hypertensive')
    for (const word of ['Opioid', 'depressive', 'Gonococcal', 'F11.2', 'F32.1', 'A54.9'])
      expect(plain.text).not.to.contain(word)
    const more = emergencySummary(placed, INIT, ['substance-use']).text
    expect(more).to.contain('Opioid').and.not.to.contain('depressive')
  })

  it('escapes what resources call themselves', async () => {
    const base = resourcesOf(syntheticFhirPatient({ seed: 9, visits: 0 }))
    const value = {
      resourceType: 'AllergyIntolerance',
      code: { text: '<script>&"\u0001' },
      patient: { reference: 'Patient/p' }
    }
    const { text, sections } = summaryOf([
      ...base,
      { fullUrl: 'urn:uuid:2', value, text: JSON.stringify({ ...value, code: { text: 'x' } }) }
    ])
    expect(sections[1]?.text.div).to.contain('&lt;script&gt;&amp;" ')
    expect((await createFhirValidator()).check(utf8(text))).to.deep.equal([])
  })

  it('makes of HL7’s example a summary with the same problems, allergies and medication', async function () {
    const file = referenceData(this, 'records/fhir/ips/Bundle-bundle-ips-all-sections.json')
    const { text, sections } = summaryOf(resourcesOf(await readFile(file, 'utf8')))
    expect((await createFhirValidator()).check(utf8(text))).to.deep.equal([])
    const count = (title: string): number | undefined => sections.find(each => each.title === title)?.entry?.length
    expect([count('Allergies and intolerances'), count('Medication'), count('Immunizations')]).to.deep.equal([1, 3, 8])
    expect(count('Problems')).to.be.at.least(2)
  })
})

describe('bundles and NDJSON', () => {
  it('hold each resource in its own words', async () => {
    const text = '{"resourceType":"Patient",\n "id":"a",\r\n "multipleBirthInteger":1}'
    const bundle = bundleOf({ type: 'collection', timestamp: '2026-01-01T00:00:00Z' }, [
      { text, fullUrl: 'urn:uuid:1' }
    ])
    expect(bundle).to.contain(text)
    expect((await createFhirValidator()).check(utf8(bundle))).to.deep.equal([])
    expect(bundleOf({ type: 'collection', timestamp: '2026-01-01T00:00:00Z' }, [])).not.to.contain('entry')
    const lines = ndjsonOf([text, text]).split('\n')
    expect(lines).to.have.length(3)
    expect(JSON.parse(lines[0]!)).to.deep.equal(JSON.parse(text))
  })
})
