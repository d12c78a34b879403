import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { createFhirValidator } from '#core/fhir/validate.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import type { FhirView } from '#core/fhir/server/handle.ts'
import { BASE, ask, viewOf } from '#test/core/fhir/server/endpoint.ts'
import { referenceData } from '#test/reference-data.ts'

const LOINC = 'http://loinc.org'
const observation = (id: string, code: string, date: string, value: string): string =>
  `{"resourceType":"Observation","id":"${id}","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],` +
  `"code":{"coding":[{"system":"${LOINC}","code":"${code}"}]},"subject":{"reference":"Patient/p"},` +
  `"effectiveDateTime":"${date}","valueQuantity":{"value":${value}}}`
const RECORD = [
  '{"resourceType":"Patient","id":"p","birthDate":"1950-03-04","identifier":[{"system":"urn:mrn","value":"17"}]}',
  observation('a', '8867-4', '2024-01-10', '72.0'),
  observation('b', '8867-4', '2024-02-10T08:00:00Z', '80'),
  observation('c', '9279-1', '2024-02-11', '16'),
  '{"resourceType":"Observation","status":"final","code":{"text":"no id"},"effectivePeriod":{"start":"2023-05-01"}}',
  '{"resourceType":"Condition","id":"d","subject":{"reference":"https://his.example/fhir/Patient/p"},"recordedDate":"2020"}'
].join('\n')

describe('the read-only FHIR endpoint', () => {
  let view: FhirView
  const ids = async (path: string): Promise<string[]> => {
    const { status, json, text } = await ask(view, path)
    expect(status, text).to.equal(200)
    const entries = (json['entry'] ?? []) as { resource: { id: string } }[]
    return entries.map(({ resource }) => resource.id)
  }

  before(async () => {
    view = await viewOf(RECORD)
  })

  it('reads one resource in its own words', async () => {
    const { status, headers, text } = await ask(view, '/Observation/a')
    expect(status).to.equal(200)
    expect(headers).to.include({
      'content-type': 'application/fhir+json; charset=utf-8',
      etag: 'W/"1"',
      'cache-control': 'no-store'
    })
    expect(text).to.equal(observation('a', '8867-4', '2024-01-10', '72.0'))
  })

  it('gives a resource without an id the entry’s', async () => {
    const [id = ''] = await ids('/Observation?date=lt2024')
    expect(id).to.match(/^[0-9a-f]{32}$/)
    const { json } = await ask(view, `/Observation/${id}`)
    expect(json).to.deep.include({ resourceType: 'Observation', id })
  })

  it('searches by code, date, category, patient, status and id', async () => {
    expect(await ids(`/Observation?code=${encodeURIComponent(`${LOINC}|8867-4`)}`)).to.deep.equal(['b', 'a'])
    expect(await ids('/Observation?code=9279-1,8867-4&date=ge2024-02')).to.deep.equal(['c', 'b'])
    expect(await ids('/Observation?code=http://wrong|8867-4')).to.deep.equal([])
    expect(await ids('/Observation?code=|8867-4')).to.deep.equal([])
    expect(await ids(`/Observation?code=${LOINC}|`)).to.have.length(3)
    expect(await ids('/Observation?category=vital-signs&status=final')).to.have.length(3)
    expect(await ids('/Observation?patient=p&_id=a,c')).to.deep.equal(['c', 'a'])
    expect(await ids('/Observation?patient=Patient/p')).to.have.length(3)
    expect(await ids('/Observation?subject=Patient/q')).to.have.length(0)
    expect(await ids('/Condition?patient=p')).to.deep.equal(['d'])
    expect(await ids('/Patient?identifier=urn:mrn|17')).to.deep.equal(['p'])
    expect(await ids('/Patient?birthdate=1950')).to.deep.equal(['p'])
    expect(await ids('/Procedure')).to.deep.equal([])
    expect(await ids('/Observation?_lastUpdated=ge2023-11-14&_lastUpdated=lt2023-11-15&_id=a')).to.deep.equal(['a'])
  })

  it('compares dates as spans', async () => {
    const cases: [string, string[]][] = [
      ['2024-01-10', ['a']],
      ['2024-01', ['a']],
      ['eq2024', ['c', 'b', 'a']],
      ['2024-02-10T08:00:00Z', ['b']],
      ['2024-02-10T09:00:00%2B01:00', ['b']],
      ['2024-02-10T09:00:00+01:00', ['b']],
      ['gt2024-02-10', ['c', 'open']],
      ['ge2024-02-10', ['c', 'b', 'open']],
      ['lt2024-02-10', ['a', 'open']],
      ['le2024-02-10', ['b', 'a', 'open']],
      ['sa2024-01-10', ['c', 'b']],
      ['eb2024-02', ['a']],
      ['ne2024-01-10', ['c', 'b', 'open']]
    ]
    for (const [date, expected] of cases) {
      const found = (await ids(`/Observation?date=${date}`)).map(id => (id.length === 32 ? 'open' : id))
      expect(found, date).to.deep.equal(expected)
    }
  })

  it('sorts and pages, and never shows one resource twice while the record grows', async () => {
    expect(await ids('/Observation?_sort=date&date=ge2024&_id=a,b,c')).to.deep.equal(['a', 'b', 'c'])
    expect(await ids('/Observation?_sort=-_lastUpdated&_id=a,b,c')).to.deep.equal(['c', 'b', 'a'])
    expect(await ids('/Observation?_sort=_id&_id=a,b,c')).to.deep.equal(['a', 'b', 'c'])
    const lines = Array.from({ length: 23 }, (_, i) => observation(`o${i}`, '8867-4', '2024-01-01', '1'))
    const many = await viewOf(lines.join('\n'))
    const seen: string[] = []
    let next: string | undefined = `${BASE}/Observation?_count=5&code=8867-4`
    for (let pages = 0; next != null; pages++) {
      expect(pages).to.be.below(6)
      const { json }: Awaited<ReturnType<typeof ask>> = await ask(many, next.slice(BASE.length))
      expect(json['total']).to.equal(23)
      seen.push(...(json['entry'] as { resource: { id: string } }[]).map(({ resource }) => resource.id))
      next = (json['link'] as { relation: string; url: string }[]).find(({ relation }) => relation === 'next')?.url
    }
    expect(new Set(seen).size).to.equal(23)
    expect(seen).to.have.length(23)
    const count = await ask(many, '/Observation?_count=0')
    expect(count.json).to.include({ total: 23 }).and.not.to.have.property('entry')
  })

  it('refuses what it does not understand, with an OperationOutcome', async () => {
    const validator = await createFhirValidator()
    const cases: [number, string, string, object?][] = [
      [404, '/Observation/none', 'FHIR_NOT_FOUND'],
      [404, '/Nothing', 'FHIR_NOT_FOUND'],
      [404, '/toString', 'FHIR_NOT_FOUND'],
      [404, '/', 'FHIR_NOT_FOUND'],
      [404, '/../etc/passwd', 'FHIR_NOT_FOUND'],
      [404, '/Observation/a/_history/1', 'FHIR_NOT_FOUND'],
      [404, '/Binary/00000000000000000000000000000000', 'FHIR_NOT_FOUND'],
      [400, '/Observation?colour=red', 'FHIR_PARAMETER'],
      [400, '/Observation?constructor=x', 'FHIR_PARAMETER'],
      [400, '/Observation?code:not=x', 'FHIR_PARAMETER'],
      [400, '/Observation?_include=*', 'FHIR_PARAMETER'],
      [400, '/Observation?_sort=value', 'FHIR_PARAMETER'],
      [400, '/Observation?date=yesterday', 'FHIR_PARAMETER_VALUE'],
      [400, '/Observation?code=a|b|c', 'FHIR_PARAMETER_VALUE'],
      [400, '/Observation?code=', 'FHIR_PARAMETER_VALUE'],
      [400, '/Observation?_count=-1', 'FHIR_PARAMETER_VALUE'],
      [400, '/Observation?code=%zz', 'FHIR_QUERY'],
      [400, `/Observation?code=${'x'.repeat(9000)}`, 'FHIR_QUERY'],
      [400, '/Observation?_page=x', 'FHIR_PAGE'],
      [405, '/Observation/a', 'FHIR_READ_ONLY', { method: 'DELETE' }],
      [405, '/Observation', 'FHIR_READ_ONLY', { method: 'POST' }],
      [406, '/Observation?_format=xml', 'FHIR_FORMAT'],
      [406, '/Observation', 'FHIR_FORMAT', { accept: 'application/fhir+xml' }]
    ]
    for (const [status, path, code, more] of cases) {
      const { json, text, ...answer } = await ask(view, path, more)
      expect(answer.status, path).to.equal(status)
      expect(text, path).to.contain(`"code":"${code}"`)
      expect(json['resourceType']).to.equal('OperationOutcome')
      expect(validator.check(utf8(text))).to.deep.equal([])
    }
  })

  it('takes a search by POST and answers in JSON where it may', async () => {
    const posted = await ask(view, '/Observation/_search', { method: 'POST', query: 'code=9279-1' })
    expect(posted.json['total']).to.equal(1)
    expect((await ask(view, '/Observation', { accept: 'text/html, */*;q=0.5' })).status).to.equal(200)
    expect((await ask(view, '/Observation?_format=application/fhir%2Bjson')).status).to.equal(200)
  })

  it('escapes what a value holds', async () => {
    const odd = await viewOf('{"resourceType":"Patient","id":"x","identifier":[{"value":"a,b|c"}]}')
    expect((await ask(odd, '/Patient?identifier=a\\,b\\|c')).json['total']).to.equal(1)
  })

  it('serves large contents as files, linked from their resource', async () => {
    const data = Buffer.alloc(10_000, 'content').toString('base64')
    const attachment = { contentType: 'text/html', data }
    const document = { resourceType: 'DocumentReference', id: 'd', status: 'current', content: [{ attachment }] }
    const binary = { resourceType: 'Binary', id: 'raw', contentType: 'a/b', data }
    const evil = { ...document, id: 'e', content: [{ attachment: { contentType: 'a/b\r\nx: y', data } }] }
    const own = {
      ...document,
      id: 'u',
      content: [{ attachment: { ...attachment, url: 'https://elsewhere.example/1' } }]
    }
    const files = await viewOf([document, binary, evil, own].map(each => JSON.stringify(each)).join('\n'))
    const { json } = await ask(files, '/DocumentReference/d')
    const [{ attachment: served }] = json['content'] as [{ attachment: { url: string } }]
    expect(served).to.have.keys('contentType', 'url')
    const file = await ask(files, served.url.slice(BASE.length))
    expect(file.headers).to.include({
      'content-type': 'text/html',
      'content-disposition': 'attachment',
      'content-length': '10000'
    })
    expect(Buffer.from(file.text).toString('base64')).to.equal(data)
    expect((await ask(files, '/Binary/raw')).json).to.deep.equal(binary)
    const [{ attachment: escaped }] = (await ask(files, '/DocumentReference/e')).json['content'] as [
      { attachment: { url: string } }
    ]
    expect((await ask(files, escaped.url.slice(BASE.length))).headers['content-type']).to.equal(
      'application/octet-stream'
    )
    const [{ attachment: kept }] = (await ask(files, '/DocumentReference/u')).json['content'] as [
      { attachment: object }
    ]
    expect(kept).to.include({ url: 'https://elsewhere.example/1' })
  })

  it('says what it can do, in a statement that is sound FHIR', async () => {
    const { json } = await ask(view, '/metadata')
    expect(json).to.include({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', kind: 'instance' })
    const [{ resource }] = json['rest'] as [
      { resource: { type: string; searchParam: { name: string; type: string }[] }[] }
    ]
    for (const { type, searchParam } of resource) {
      for (const parameter of searchParam) {
        const value = { token: 'a', date: '2024', reference: 'Patient/p' }[parameter.type] ?? ''
        expect((await ask(view, `/${type}?${parameter.name}=${value}`)).status, `${type} ${parameter.name}`).to.equal(
          200
        )
      }
    }
  })

  it('serves every resource of the IPS example under its own search', async function () {
    const file = referenceData(this, 'records/fhir/ips/Bundle-bundle-ips-all-sections.json')
    const ips = await viewOf(await readFile(file))
    const validator = await createFhirValidator()
    for (const { type, id } of ips.resources) {
      const { text, json } = await ask(ips, `/${type}?_id=${id}`)
      expect(json['total'], `${type}/${id}`).to.equal(1)
      expect(validator.check(utf8(text)), `${type}/${id}`).to.deep.equal([])
    }
  })
})
