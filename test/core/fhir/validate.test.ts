import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from '#core/encoding/bytes.ts'
import { createFhirValidator, type FhirValidator } from '#core/fhir/validate.ts'
import { ROOT } from '#scripts/process/run.ts'
import { referenceData } from '#test/reference-data.ts'

describe('validation of FHIR resources', () => {
  let validator: FhirValidator
  const codes = (resource: unknown): string[] =>
    validator.check(utf8(JSON.stringify(resource))).map(({ code, expression = '' }) => `${code} ${expression}`.trim())

  before(async () => {
    validator = await createFhirValidator()
  })

  it('accepts sound resources, also within others', () => {
    expect(codes({ resourceType: 'Patient', name: [{ family: 'A', given: ['B'] }] })).to.deep.equal([])
    const code = { text: 'x' }
    expect(codes({ resourceType: 'Observation', status: 'final', code, valueQuantity: { value: 1.5 } })).to.deep.equal(
      []
    )
    const nested = { provision: { type: 'deny', provision: [{ type: 'permit' }] } }
    const consent = { resourceType: 'Consent', status: 'active', scope: code, category: [code], ...nested }
    expect(codes({ ...consent, policyRule: code })).to.deep.equal([])
    expect(
      codes({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: { ...consent, policyRule: code } }] })
    ).to.deep.equal([])
  })

  it('names what is wrong by code and place', () => {
    expect(codes({ resourceType: 'Patient', name: 3 })).to.deep.equal(['structure Patient.name'])
    expect(codes({ resourceType: 'Patient', nickname: 'x' })).to.deep.equal(['structure Patient.nickname'])
    expect(codes({ resourceType: 'Observation' })).to.deep.equal([
      'structure Observation.status',
      'structure Observation.code'
    ])
    expect(codes({ resourceType: 'Patient', name: [null] })[0]).to.equal('structure Patient.name[0]')
    const both = [{ url: 'x', valueString: 'a', extension: [{ url: 'y', valueString: 'b' }] }]
    expect(codes({ resourceType: 'Patient', extension: both })).to.deep.equal(['invariant Patient.extension[0]'])
    for (const type of ['Evil', 'toString', 'StructureDefinition', '', null, 3]) {
      expect(codes({ resourceType: type })).to.deep.equal(['not-supported'])
      expect(codes({ resourceType: 'Patient', contained: [{ resourceType: type }] })).to.deep.equal(['not-supported'])
    }
    for (const value of [null, 3, 'Patient', [], {}]) expect(codes(value)).to.deep.equal(['not-supported'])
  })

  it('says of bytes that are no JSON why they were refused', () => {
    const codeOf = (text: string): string | undefined => validator.check(utf8(text))[0]?.code
    expect(codeOf('{"resourceType":"Patient","id":"a","id":"b"}')).to.equal('JSON_DUPLICATE_KEY')
    expect(codeOf('{"__proto__":{}}')).to.equal('JSON_KEY')
    expect(codeOf('{')).to.equal('JSON_TRUNCATED')
    expect(codeOf('['.repeat(100_000))).to.equal('JSON_DEPTH')
    expect(codeOf(`"${' '.repeat(5_000_000)}"`)).to.equal('JSON_OVERSIZE')
  })

  it('never throws, whatever stands where', () => {
    const key = fc.constantFrom(
      'resourceType',
      'name',
      'code',
      'status',
      'value',
      'extension',
      'contained',
      'text',
      'id',
      'meta'
    )
    const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
      tree: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.constantFrom<unknown>(null, 1, 'Patient', 'Observation', true, '', 1.5),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 })
      )
    }))
    fc.assert(
      fc.property(
        fc.constantFrom('Patient', 'Observation', 'Bundle', 'Consent', 'Binary'),
        fc.dictionary(key, tree),
        (resourceType, rest) => {
          expect(validator.check(utf8(JSON.stringify({ ...rest, resourceType })))).to.be.an('array')
        }
      )
    )
  })

  it('needs less than one megabyte of definitions', async () => {
    expect((await stat(join(ROOT, 'core/fhir/definitions/r4.ts'))).size).to.be.below(1_000_000)
  })

  for (const part of ['us-core', 'ips', 'ihe/pcf-json']) {
    it(`finds nothing wrong with the reference data of ${part}`, async function () {
      const folder = referenceData(this, `records/fhir/${part}`)
      for (const name of (await readdir(folder)).filter(each => !each.startsWith('_'))) {
        expect(validator.check(await readFile(join(folder, name))), name).to.deep.equal([])
      }
    })
  }
})
