import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeBodyRow, encodeBodyRow } from '#core/fhir/server/body-row.ts'
import { indexBody } from '#core/fhir/server/indexed-body.ts'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'

const TYPE = 'application/fhir+json'

describe('the row of a body of FHIR', () => {
  it('says what was indexed, of every resource of a record', () => {
    const { entry } = JSON.parse(syntheticFhirPatient({ seed: 5, visits: 6 })) as { entry: { resource: unknown }[] }
    for (const { resource } of entry) {
      const { lines } = indexBody(TYPE, utf8(JSON.stringify(resource)))
      const kept = decodeBodyRow(encodeBodyRow(lines))
      // Parameters without a value are found by nothing, and not kept.
      const full = lines.map(({ tokens, dates, references, ...line }) => ({
        ...line,
        tokens: new Map([...tokens].filter(([, values]) => values.length > 0)),
        dates: new Map([...dates].filter(([, values]) => values.length > 0)),
        references: new Map([...references].filter(([, values]) => values.length > 0))
      }))
      expect(kept).to.deep.equal(full)
    }
  })

  it('keeps spans without an end, times before 1970, names and contents', () => {
    const part = 'ab'.repeat(16)
    const marker = `{"extension":[{"url":"urn:salus:attachment","valueString":"5000:${part}"}]}`
    const texts = [
      '{"resourceType":"Encounter","period":{"start":"1931-02-03"}}',
      '{"resourceType":"Patient","id":"../x"}',
      `{"resourceType":"Binary","id":"b","contentType":"a/b","_data":${marker}}`
    ]
    const { lines } = indexBody('application/fhir+ndjson', utf8(texts.join('\n')))
    const [encounter, patient, binary] = decodeBodyRow(encodeBodyRow(lines))
    expect(encounter?.dates.get('date')).to.deep.equal([{ fromMs: Date.UTC(1931, 1, 3), toMs: Infinity }])
    expect(patient).to.include({ line: 1, ownId: null })
    expect(binary?.contents).to.deep.include({
      id: part,
      type: 'a/b',
      sizeBytes: 5000,
      parts: [Buffer.from(part, 'hex')]
    })
  })

  it('is refused by a code, and nothing else, when bits of it flip', () => {
    const { lines } = indexBody(TYPE, utf8('{"resourceType":"Condition","id":"c","code":{"coding":[{"code":"1"}]}}'))
    const row = encodeBodyRow(lines)
    fc.assert(
      fc.property(fc.nat(row.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = row.slice()
        bad[at] = (bad[at] ?? 0) ^ flip
        try {
          decodeBodyRow(bad)
        } catch (error) {
          expect(isSalusError(error) && /^AGENT_INDEX_/.test(error.code), String(error)).to.equal(true)
        }
      })
    )
    expect(() => decodeBodyRow(row.subarray(1))).to.throw()
  })
})
