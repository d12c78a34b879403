import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { createRecordView, type OpenedBody, type RecordView } from '#core/fhir/server/record-view.ts'
import { createFhirValidator } from '#core/fhir/validate.ts'
import { BASE, ask, viewOf } from '#test/core/fhir/server/endpoint.ts'

const JSON_TYPE = 'application/fhir+json'
const entry = (n: number): Uint8Array => new Uint8Array(16).fill(n)

describe('a record as FHIR', () => {
  const bodies = new Map<number, Uint8Array>()
  const opened = (n: number, body: string, more: Partial<OpenedBody> = {}): OpenedBody => {
    bodies.set(n, utf8(body))
    return { entry: entry(n), revision: 1, recordedAtMs: 1000 * n, type: JSON_TYPE, body: utf8(body), ...more }
  }
  const create = async (): Promise<RecordView> => {
    const open = (id: Uint8Array): Promise<Uint8Array> => Promise.resolve(bodies.get(id[0] ?? 0) ?? new Uint8Array())
    return createRecordView({
      base: BASE,
      date: '2026-11-21',
      open,
      openPart: open,
      validator: await createFhirValidator()
    })
  }

  it('serves the newest revision of an entry, in whatever order they come', async () => {
    const view = await create()
    view.put(opened(1, '{"resourceType":"Patient","id":"p","gender":"female"}', { revision: 2 }))
    view.put({ ...opened(9, '{}'), entry: entry(1), revision: 1, body: utf8('{"resourceType":"Patient","id":"p"}') })
    expect((await ask(view, '/Patient?gender=female')).json['total']).to.equal(1)
    expect((await ask(view, '/Patient/p')).headers['etag']).to.equal('W/"2"')
    view.put(opened(1, '{"resourceType":"Patient","id":"p","gender":"other"}', { revision: 3 }))
    expect((await ask(view, '/Patient?gender=female')).json['total']).to.equal(0)
    expect((await ask(view, '/Patient')).json['total']).to.equal(1)
  })

  it('keeps resources of one name apart', async () => {
    const view = await create()
    view.put(opened(1, '{"resourceType":"Observation","id":"1","code":{"text":"here"},"status":"final"}'))
    view.put(opened(2, '{"resourceType":"Observation","id":"1","code":{"text":"there"},"status":"final"}'))
    expect((await ask(view, '/Observation/1')).text).to.contain('here')
    const other = '02'.repeat(16)
    expect((await ask(view, `/Observation/${other}`)).json).to.deep.include({ id: other, code: { text: 'there' } })
    expect((await ask(view, '/Observation')).json['total']).to.equal(2)
  })

  it('forgets what was erased, with its contents', async () => {
    const data = Buffer.alloc(9000).toString('base64')
    const view = await viewOf(JSON.stringify({ resourceType: 'Binary', id: 'b', contentType: 'a/b', data }))
    const [{ entry: id } = { entry: entry(0) }] = view.resources
    expect((await ask(view, '/Binary/b')).status).to.equal(200)
    view.remove(id)
    expect((await ask(view, '/Binary/b')).status).to.equal(404)
    expect(view.resources).to.have.length(0)
  })

  it('opens batches line by line', async () => {
    const lines = ['a', 'b', 'c'].map(id => `{"resourceType":"Observation","id":"${id}","code":{"text":"${id}"}}`)
    const noId = '{"resourceType":"Observation","code":{"text":"d"}}'
    const view = await viewOf([...lines, noId].join('\n'), true)
    expect(view.resources).to.have.length(4)
    expect((await ask(view, '/Observation/b')).text).to.equal(lines[1])
    const named = view.resources.find(({ id }) => id.endsWith('.3'))
    expect((await ask(view, `/Observation/${named?.id ?? ''}`)).json).to.deep.include({ code: { text: 'd' } })
  })

  it('says what is wrong with an entry, and serves nothing that is no sound JSON', async () => {
    const view = await create()
    const codes = (body: string, type = JSON_TYPE): string[] =>
      view.put(opened(7, body, { type })).map(({ code }) => code)
    expect(codes('{"resourceType":"Patient","id":"a","id":"b"}')).to.deep.equal(['JSON_DUPLICATE_KEY'])
    expect(codes('{"__proto__":{"resourceType":"Patient"}}')).to.deep.equal(['JSON_KEY'])
    expect(codes('[]')).to.deep.equal(['structure'])
    expect(codes('{"resourceType":"Patient"}\n{', 'application/fhir+ndjson')).to.deep.equal(['JSON_TRUNCATED'])
    expect(view.resources).to.have.length(1)
    expect(codes('{"resourceType":"Patient","nickname":1}')).to.deep.equal(['structure'])
    expect(view.resources).to.have.length(1)
    expect(codes('a picture', 'image/png')).to.deep.equal([])
    expect(codes('{"resourceType":"Patient","id":"../../x"}')).to.deep.equal([])
    expect(view.resources[0]?.id).to.equal('07'.repeat(16))
  })
})
