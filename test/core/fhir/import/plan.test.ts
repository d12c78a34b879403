import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { isSalusError } from '#core/error.ts'
import { concat, toHex, utf8 } from '#core/encoding/bytes.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { decodeManifest, exportImport } from '#core/fhir/import/manifest.ts'
import { planImport, type ImportInit } from '#core/fhir/import/plan.ts'
import type { PlannedEntry } from '#core/fhir/import/planned-entry.ts'
import { entryOfResource, repeatableIds } from '#core/fhir/import/repeatable.ts'
import { surveyImport } from '#core/fhir/import/survey.ts'
import { canonicalJson, parseJson } from '#core/fhir/json/parse.ts'
import { createFhirValidator, type FhirValidator } from '#core/fhir/validate.ts'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'
import { collected } from '#test/collected.ts'
import { expectCode } from '#test/error-code.ts'
import { referenceData } from '#test/reference-data.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TODAY = 20_000
const init = (more: Partial<ImportInit> = {}): ImportInit => ({
  primitives: portablePrimitives,
  random: seededRandom('import'),
  today: TODAY,
  ...more
})

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield await Promise.resolve(bytes.slice(i, i + size))
}

async function plan(text: string | Uint8Array, size = 10_000, more: Partial<ImportInit> = {}): Promise<PlannedEntry[]> {
  const bytes = typeof text === 'string' ? utf8(text) : text
  return collected(planImport(() => cut(bytes, size), init(more)))
}

async function exported(entries: readonly PlannedEntry[]): Promise<Uint8Array> {
  const bodies = new Map(entries.map(({ entry, body }) => [toHex(entry), body]))
  const manifest = decodeManifest(entries.at(-1)?.body ?? new Uint8Array())
  const open = (id: Uint8Array): Promise<Uint8Array> => Promise.resolve(bodies.get(toHex(id))!)
  return concat(...(await collected(exportImport(manifest, open))))
}

async function expectSame(bytes: Uint8Array, size?: number, more?: Partial<ImportInit>): Promise<PlannedEntry[]> {
  const entries = await plan(bytes, size, more)
  const back = await exported(entries)
  expect(Buffer.from(back).equals(bytes)).to.equal(true)
  return entries
}

const content = (length: number, seed = 'content'): string => Buffer.from(seededRandom(seed)(length)).toString('base64')

describe('import of FHIR', () => {
  let validator: FhirValidator
  before(async () => {
    validator = await createFhirValidator()
  })

  it('plans one entry for each resource of a bundle and a manifest that makes the bundle again', async () => {
    const bundle = `{ "resourceType": "Bundle", "type": "collection",
  "entry": [
    { "fullUrl": "urn:uuid:1", "resource": {"resourceType":"Patient","id":"p"} },
    { "resource": {
        "resourceType": "Observation", "status": "final", "effectiveDateTime": "1999-07-02",
        "code": {"text": "x"}, "valueQuantity": {"value": 1.00, "unit": "g"} }, "search": {"mode": "match"} },
    { "request": {"method": "DELETE", "url": "Condition/1"} }
  ] }\n`
    const entries = await expectSame(utf8(bundle))
    expect(entries.map(({ kind, compartment, type, day }) => [kind, compartment, type, day])).to.deep.equal([
      ['resource', 'documents', 'application/fhir+json', TODAY],
      ['resource', 'labs', 'application/fhir+json', 10_774],
      ['manifest', 'documents', 'application/vnd.salus.import+cbor', TODAY]
    ])
    expect(Buffer.from(entries[1]!.body).toString()).to.contain('"value": 1.00,')
    expect(new Set(entries.map(({ entry }) => toHex(entry))).size).to.equal(3)
  })

  it('takes NDJSON, one resource, an empty bundle, and several bundles', async () => {
    const patient = '{"resourceType":"Patient"}'
    for (const [text, resources] of [
      [patient, 1],
      [`\n ${patient}\r\n`, 1],
      [`${patient}\n${patient}\n\n${patient}`, 3],
      ['{"resourceType":"Bundle","type":"batch"}', 1],
      ['{"resourceType":"Bundle","type":"batch","entry":[]}', 1],
      [
        `{"entry":[{"resource":${patient}}],"resourceType":"Bundle"}\n${patient}\n{"resourceType":"Bundle","entry":[{"resource":${patient}}]}`,
        3
      ]
    ] as const) {
      expect(await expectSame(utf8(text)), text).to.have.length(resources + 1)
    }
  })

  it('lets a manifest lie with the most sensitive of its resources', async () => {
    const sud =
      '{"resourceType":"Condition","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"F11.2"}]}}'
    const entries = await plan(`{"resourceType":"Patient"}\n${sud}`)
    expect(entries.map(each => each.compartment)).to.deep.equal(['documents', 'substance-use', 'substance-use'])
  })

  it('finds the section of a resource by references through full URLs', async () => {
    const entry = (fullUrl: string, resource: object): object => ({ fullUrl, resource })
    const bundle = {
      resourceType: 'Bundle',
      entry: [
        entry('urn:uuid:a', { resourceType: 'MedicationRequest', reasonReference: [{ reference: 'urn:uuid:b' }] }),
        entry('urn:uuid:b', { resourceType: 'Condition', code: { text: 'HIV infection' } })
      ]
    }
    const entries = await plan(JSON.stringify(bundle))
    expect(entries.map(each => each.compartment)).to.deep.equal(['sexual', 'sexual', 'sexual'])
  })

  it('gives large attachments entries of their own and puts them back', async () => {
    const big = content(7_000_001)
    const small = content(100)
    const text = JSON.stringify({
      resourceType: 'DocumentReference',
      content: [
        { attachment: { data: big, contentType: 'application/pdf' } },
        { attachment: { contentType: 'image/png', data: small } },
        { attachment: { contentType: 'image/png', data: content(5000), _other: 1 } }
      ],
      meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }] }
    }).replace('"data":', '"data" :\t')
    const entries = await expectSame(utf8(text), 50_000)
    expect(
      entries.map(({ kind, type, compartment, body }) => [kind, type, compartment, body.length]).slice(0, 4)
    ).to.deep.equal([
      ['attachment', 'application/pdf', 'mental', 3_145_728],
      ['attachment', 'application/pdf', 'mental', 3_145_728],
      ['attachment', 'application/pdf', 'mental', 7_000_001 - 2 * 3_145_728],
      ['attachment', 'image/png', 'mental', 5000]
    ])
    const resource = parseJson(entries[4]!.body) as { content: { attachment: Record<string, unknown> }[] }
    expect(resource.content[0]?.attachment).to.have.keys('_data', 'contentType')
    expect(resource.content[1]?.attachment['data']).to.equal(small)
    expect(entries[4]!.body.length).to.be.below(1500)
  })

  it('finds content in a Binary and in a bundle’s own extension, and leaves signatures and waveforms alone', async () => {
    const data = content(4000)
    expect(await expectSame(utf8(JSON.stringify({ resourceType: 'Binary', contentType: 'x/y', data })))).to.have.length(
      3
    )
    const wave = { resourceType: 'Observation', valueSampledData: { data: '12 13 -4 E '.repeat(1000) } }
    expect(await expectSame(utf8(JSON.stringify(wave)))).to.have.length(2)
    const patient = { resourceType: 'Patient' }
    const signed = { resourceType: 'Bundle', entry: [{ resource: patient }], signature: { data } }
    expect(await expectSame(utf8(JSON.stringify(signed)))).to.have.length(2)
    const extended = {
      extension: [{ valueAttachment: { data } }],
      resourceType: 'Bundle',
      entry: [{ resource: patient }]
    }
    expect(await expectSame(utf8(JSON.stringify(extended)))).to.have.length(3)
    const twice = { resourceType: 'Binary', _data: { id: 'a' }, data }
    expect(await expectSame(utf8(JSON.stringify(twice)))).to.have.length(2)
  })

  it('reads base64 with escapes, and writes the same content without them', async () => {
    const text = JSON.stringify({ resourceType: 'Binary', contentType: 'x/y', data: content(4000) })
    const escaped = text
      .replaceAll('=', '\\u003d')
      .replace(/(?<=[A-Za-z0-9+])\/(?=[A-Za-z0-9+])/g, '\\/')
      .replace('x/y', 'x\\/y')
    expect(escaped).to.contain('\\/')
    const entries = await plan(escaped, 7)
    expect(canonicalJson(parseJson(await exported(entries)))).to.equal(canonicalJson(parseJson(utf8(text))))
  })

  it('joins small observations of one day into one entry where asked to', async () => {
    const observation = (i: number, day: string): string =>
      JSON.stringify({ resourceType: 'Observation', id: String(i), effectiveDateTime: day, code: { text: 'x' } })
    const lines = Array.from({ length: 300 }, (_, i) => observation(i, i % 2 === 0 ? '2020-01-01' : '2020-01-02'))
    const text = utf8(`${[...lines, '{"resourceType":"Patient"}'].join('\n')}\n`)
    const entries = await expectSame(text, 1000, { batch: true })
    expect(entries.map(({ kind }) => kind)).to.deep.equal(['resource', 'batch', 'batch', 'manifest'])
    expect(entries[1]).to.include({ type: 'application/fhir+ndjson', day: 18_262, compartment: 'labs' })
    const many = Array.from({ length: 2000 }, (_, i) => observation(i, '2020-01-01')).join('\n')
    const batches = await expectSame(utf8(many), 1000, { batch: true })
    expect(batches.length).to.be.within(5, 10)
    expect(batches.every(({ kind, body }) => kind === 'manifest' || body.length <= 32_768)).to.equal(true)
  })

  it('makes again whatever it took, however the bytes are cut', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(content(3200))
    )
    const key = fc.constantFrom('data', 'text', 'entry', 'resource', 'content', 'id', 'name', 'code')
    const body = fc.dictionary(
      key,
      fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.dictionary(key, value, { maxKeys: 3 }))
    )
    const type = fc.constantFrom('Patient', 'Observation', 'Binary', 'DocumentReference', 'Unheard')
    const resource = fc.tuple(type, body).map(([resourceType, rest]) => ({ ...rest, resourceType }))
    const bundle = fc.array(resource, { maxLength: 4 }).map(list => ({
      resourceType: 'Bundle',
      type: 'collection',
      entry: list.map(each => ({ fullUrl: 'urn:x', resource: each }))
    }))
    const line = fc
      .tuple(fc.oneof(resource, bundle), fc.constantFrom(0, 2))
      .map(([each, indent]) => JSON.stringify(each, null, indent))
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 5, max: 5000 }),
        async (lines, size) => {
          await expectSame(utf8(lines.join('\n')), size)
        }
      ),
      { numRuns: 40 }
    )
  })

  it('gives the states of one resource one entry where it is told which, but not two in one import', async () => {
    const seed = new Uint8Array(32).fill(3)
    const entryOf = (name: string): Uint8Array =>
      entryOfResource(portablePrimitives, seed, 'https://his.example/fhir', name)
    const patient = (family: string): string => JSON.stringify({ resourceType: 'Patient', id: 'p', name: [{ family }] })
    const [first] = await plan(patient('A'), 10, { entryOf })
    const two = await expectSame(utf8(`${patient('B')}\n${patient('C')}\n{"resourceType":"Patient"}`), 10, { entryOf })
    expect(first?.name).to.equal('Patient/p')
    expect(two.map(({ name }) => name)).to.deep.equal(['Patient/p', 'Patient/p', null, null])
    expect(two[0]?.entry).to.deep.equal(first?.entry)
    expect(new Set(two.map(({ entry }) => toHex(entry))).size).to.equal(4)
    const elsewhere = entryOfResource(portablePrimitives, seed, 'https://his.example/fhi', 'rPatient/p')
    expect(elsewhere).not.to.deep.equal(first?.entry)
  })

  it('makes the same entries of the same file where its ids are repeatable', async () => {
    const text = syntheticFhirPatient({ seed: 1, visits: 5 })
    const ids = async (seed: number, what: string): Promise<string[]> => {
      const random = repeatableIds(portablePrimitives, new Uint8Array(32).fill(seed), utf8(what))
      return (await plan(text, 5000, { random })).map(({ entry }) => toHex(entry))
    }
    const once = await ids(1, 'file')
    expect(new Set(once).size).to.equal(once.length)
    expect(await ids(1, 'file')).to.deep.equal(once)
    for (const other of [await ids(2, 'file'), await ids(1, 'other')]) {
      expect(other.some(id => once.includes(id))).to.equal(false)
    }
  })

  it('takes whatever bits flip in a bundle or refuses it by a code, and always makes again what it took', async () => {
    const bytes = utf8(syntheticFhirPatient({ seed: 2, visits: 4 }))
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, bits) => {
          const flipped = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ bits : byte))
          try {
            await plan(flipped, 50_000)
          } catch (error) {
            expect(isSalusError(error), String(error)).to.equal(true)
            return
          }
          const back = await exported(await plan(flipped, 50_000))
          // A flipped bit can make an escape of base64: then it is the same content, written plainly.
          if (!Buffer.from(back).equals(flipped)) {
            expect(canonicalJson(parseJson(back))).to.equal(canonicalJson(parseJson(flipped)))
          }
        }
      ),
      { numRuns: 60 }
    )
    for (const end of [1, 100, 1000, bytes.length >> 1, bytes.length - 3]) {
      await expectCode('JSON_TRUNCATED', () => plan(bytes.slice(0, end)))
    }
  })

  it('shows beforehand what it would do, and what is unsound', async () => {
    const text = utf8(
      '{"resourceType":"Patient","id":"p","nickname":1}\n{"resourceType":"Condition","subject":{},"code":{"text":"HIV"}}'
    )
    const source = (): AsyncGenerator<Uint8Array> => cut(text, 9)
    const survey = await surveyImport(source, init({ validator }))
    const shown = survey.resources.map(({ name, compartment, issues }) => [name, compartment, issues[0]?.expression])
    expect(shown).to.deep.equal([
      ['Patient/p', 'documents', 'Patient.nickname'],
      [null, 'sexual', 'Condition.subject']
    ])
    const entries = await collected(planImport(source, init(), survey))
    expect(entries.map(({ kind }) => kind)).to.deep.equal(['resource', 'resource', 'manifest'])
  })

  it('makes synthetic records again to the byte and finds what is sensitive in them', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const entries = await expectSame(utf8(syntheticFhirPatient({ seed, visits: 8 })), 3000)
      const sections = new Set(entries.map(({ compartment }) => compartment))
      expect([...sections]).to.include.members(['vitals', 'labs', 'mental', 'sexual', 'substance-use', 'documents'])
      expect(entries.filter(({ kind }) => kind === 'attachment')).to.have.length(2)
      for (const { kind, body } of entries) if (kind === 'resource') expect(validator.check(body)).to.deep.equal([])
    }
  })

  it('refuses what is not FHIR, each with its own code', async () => {
    const patient = '{"resourceType":"Patient"}'
    const marker = '{"extension":[{"url":"urn:salus:attachment","valueString":"3:00000000000000000000000000000000"}]}'
    const cases: [string, string][] = [
      ['FHIR_EMPTY', ''],
      ['FHIR_EMPTY', ' \n'],
      ['FHIR_TYPE', '3'],
      ['FHIR_TYPE', '{"id":"a"}'],
      ['FHIR_TYPE', '{"resourceType":3}'],
      ['FHIR_TYPE', '[]'],
      ['FHIR_BUNDLE', `{"resourceType":"Patient","entry":[{"resource":${patient}}]}`],
      ['FHIR_TYPE', '{"resourceType":"Bundle","entry":[{"resource":{}}]}'],
      ['FHIR_BUNDLE', '{"resourceType":"Bundle","entry":[{"resource":null}]}'],
      ['FHIR_RESERVED', `{"resourceType":"Binary","contentType":"a/b","_data":${marker}}`],
      [
        'FHIR_RESERVED',
        `{"resourceType":"Binary","_data":{"extension":[{"url":"urn:salus:attachment","valueString":"0"}]}}`
      ],
      ['BASE64_MALFORMED', `{"resourceType":"Binary","data":"${content(4000)}!"}`],
      ['BASE64_MALFORMED', `{"resourceType":"Binary","data":"${'A'.repeat(5001)}"}`],
      ['JSON_TRAILING', `${patient} ${patient}`],
      ['JSON_TRUNCATED', patient.slice(0, -1)],
      ['JSON_DUPLICATE_KEY', `{"resourceType":"Binary","data":"${content(4000)}","_data":{}}`],
      ['JSON_DEPTH', `{"resourceType":"Patient","x":${'['.repeat(100)}`],
      ['JSON_KEY', '{"resourceType":"Patient","__proto__":{}}'],
      ['FHIR_OVERSIZE', `{"resourceType":"Patient","x":"${'a'.repeat(17_000_000)}"}`]
    ]
    for (const [code, text] of cases) await expectCode(code, () => plan(text, 1_000_000))
    await expectCode('JSON_MALFORMED', () => plan(concat(utf8('{"resourceType":"'), Uint8Array.of(0xff), utf8('"}'))))
  })

  it('notices a source that changes between its two readings', async () => {
    const sources = ['{"resourceType":"Patient","id":"a"}', '{"resourceType":"Patient","id":"b"}']
    const changed = planImport(() => cut(utf8(sources.shift() ?? ''), 10), init())
    await expectCode('FHIR_SOURCE_CHANGED', () => collected(changed))
    const shorter = ['{"resourceType":"Patient"}\n{"resourceType":"Patient"}', '{"resourceType":"Patient"}']
    await expectCode('FHIR_SOURCE_CHANGED', () =>
      collected(planImport(() => cut(utf8(shorter.shift() ?? ''), 10), init()))
    )
  })

  it('does not export an attachment that lost a part, nor a manifest that lies', async () => {
    const entries = await plan(JSON.stringify({ resourceType: 'Binary', contentType: 'a/b', data: content(4000) }))
    const short = entries.map(each => (each.kind === 'attachment' ? { ...each, body: each.body.slice(1) } : each))
    await expectCode('FHIR_ATTACHMENT_SIZE', () => exported(short))
    const manifest = entries.at(-1)!.body
    await expectCode('IMPORT_TRUNCATED', () => decodeManifest(manifest.slice(0, -1)))
    await expectCode('IMPORT_MALFORMED', () => decodeManifest(Uint8Array.of(0xff)))
  })

  for (const part of ['fhir/us-core', 'fhir/ips', 'fhir/ihe/pcf-json', 'smart']) {
    it(`makes the reference data of ${part} again to the byte`, async function () {
      const folder = referenceData(this, `records/${part}`)
      const names = (await readdir(folder))
        .filter(each => part !== 'smart' || /(?:fhirBundle|IPS_IG-bundle-01)\.json$/.test(each))
        .filter(each => !each.startsWith('_'))
      expect(names).to.have.length.above(0)
      for (const name of names) {
        const bytes = await readFile(join(folder, name))
        const entries = await expectSame(bytes, 4096)
        expect(canonicalJson(parseJson(await exported(entries)))).to.equal(canonicalJson(parseJson(bytes)))
      }
    })
  }
})
