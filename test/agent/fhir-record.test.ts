import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { JsonObject } from '#core/fhir/json/parse.ts'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'
import { until } from '#scripts/story/until.ts'
import { startProxy, type Proxy } from '#test/agent/proxy.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Entry {
  entry: string
  compartment: string | null
  type: string | null
  code: string | null
}

describe('a record as FHIR', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let proxy: Proxy
  let patient: AgentProcess
  const text = syntheticFhirPatient({ seed: 7, visits: 6 })
  const resources = (JSON.parse(text) as { entry: { resource: { resourceType: string; id: string } }[] }).entry

  before(async () => {
    world = await createAgentWorld()
    proxy = await startProxy(world.nodes[0]?.httpUrl ?? '')
    patient = await world.agent('patient', { nodeUrl: proxy.url })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
  })

  after(async () => {
    await proxy.stop()
    await world.stop()
  })

  const entries = async (): Promise<Entry[]> => (await patient.run('patient', 'entries'))['entries'] as Entry[]
  const fhir = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const token = await readFile(join(patient.home, 'token'), 'utf8')
    return fetch(`${patient.url}/fhir/${path}`, { headers: { authorization: `Bearer ${token}` }, ...init })
  }
  const bundle = async (path: string): Promise<JsonObject> => (await (await fhir(path)).json()) as JsonObject

  it('takes a bundle apart by its resources, each into its section', async () => {
    const file = await world.file('record.json', text)
    const followed = new Set<string>()
    const written: string[] = []
    proxy.watcher.before = ({ path, body }) => {
      if (path !== '/v1/messages') return
      const message = decodeMessage(body, fromHex(world.deployment.networkId))
      if (message.kind !== 'entry') return
      const { cid, header } = decodeEntry(message.header)
      written.push(cid.toString())
      for (const parent of header.parents) followed.add(parent.toString())
    }
    const answer = await patient.run('patient', 'import', file)
    proxy.watcher.before = undefined
    // Each is followed by another, but for the manifest, which follows all of them.
    expect(written.filter(name => !followed.has(name))).to.deep.equal(written.slice(-1))
    expect(written.length).to.be.greaterThan(resources.length)
    expect(answer).to.include({ importer: 'fhir', state: 'done', resources: resources.length })
    const listed = await entries()
    expect(listed.every(({ code }) => code == null)).to.equal(true)
    expect(listed.filter(({ type }) => type === 'application/fhir+json')).to.have.lengthOf(resources.length)
    for (const section of ['mental', 'substance-use', 'sexual', 'vitals']) {
      expect(listed.map(({ compartment }) => compartment)).to.include(section)
    }
    expect(listed).to.have.lengthOf(answer['written'] as number)
  })

  it('makes it again to the byte', async () => {
    const out = join(world.dir, 'again.json')
    await patient.run('patient', 'export', '--original', '--out', out)
    expect(await readFile(out, 'utf8')).to.equal(text)
    expect((await stat(out)).mode & 0o777).to.equal(0o600)
  })

  it('doubles nothing when it is imported again, unless told', async () => {
    const before = (await entries()).length
    await patient.run('patient', 'import', join(world.dir, 'record.json'))
    expect(await entries()).to.have.lengthOf(before)
  })

  it('answers FHIR clients, who know the token', async () => {
    expect(await bundle('metadata')).to.include({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' })
    const own = resources.find(({ resource }) => resource.resourceType === 'Patient')?.resource
    const read = await bundle(`Patient/${own?.id ?? ''}`)
    expect(read).to.deep.equal(own)
    const all = resources.filter(({ resource }) => resource.resourceType === 'Observation')
    let found = 0
    let path: string | undefined = 'Observation?_count=5&_sort=date'
    while (path != null) {
      const page: JsonObject = await bundle(path)
      found += (page['entry'] as unknown[]).length
      const next = (page['link'] as { relation: string; url: string }[]).find(({ relation }) => relation === 'next')
      path = next?.url.replace(`${patient.url}/fhir/`, '')
    }
    expect(found).to.equal(all.length)
    const posted = (await (
      await fhir('Observation/_search', { method: 'POST', body: '_count=1' })
    ).json()) as JsonObject
    expect(posted['total']).to.equal(all.length)
    expect((await fhir('Nothing/1')).status).to.equal(404)
    expect((await fhir('Patient', { headers: { authorization: 'Bearer x' } })).status).to.equal(401)
  })

  it('writes a summary without what is sensitive, and a bundle of everything', async () => {
    const out = join(world.dir, 'ips.json')
    await patient.run('patient', 'export', '--format', 'ips', '--out', out)
    const summary = await readFile(out, 'utf8')
    expect(summary).to.contain('60591-5').and.not.contain('F11.2').and.not.contain('F32.1')
    expect(JSON.parse(summary)).to.include({ resourceType: 'Bundle', type: 'document' })
    await patient.run('patient', 'export', '--format', 'bundle', '--out', out)
    const whole = JSON.parse(await readFile(out, 'utf8')) as { entry: { resource: unknown }[] }
    expect(whole.entry.map(({ resource }) => resource)).to.deep.include.members(resources.map(each => each.resource))
    await patient.run('patient', 'export', '--format', 'ndjson', '--compartments', 'mental', '--out', out)
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n')
    expect(lines.map(line => (JSON.parse(line) as { resourceType: string }).resourceType)).to.include('Condition')
    expect(lines.length).to.be.lessThan(resources.length)
  })

  it('shows what a correction brought, and nothing of what was retracted', async () => {
    const condition = resources.find(({ resource }) => resource.resourceType === 'Condition')?.resource
    const bodies = (await entries()).filter(({ type }) => type === 'application/fhir+json')
    let one = ''
    for (const { entry } of bodies) {
      const body = Buffer.from(await patient.client.bytes(`/v1/patient/entries/${entry}/body`)).toString()
      if ((JSON.parse(body) as { id?: string }).id === condition?.id) one = entry
    }
    const right = await world.file('right.json', '{"resourceType":"Condition","id":"right","code":{"text":"none"}}')
    await patient.run('patient', 'entry', 'correct', one, right, '--because', 'another patient’s')
    expect((await fhir(`Condition/${condition?.id ?? ''}`)).status).to.equal(404)
    expect(await bundle('Condition/right')).to.deep.include({ code: { text: 'none' } })
    await patient.run('patient', 'entry', 'retract', one, '--because', 'another patient’s')
    expect((await fhir('Condition/right')).status).to.equal(404)
    const out = join(world.dir, 'still.json')
    await patient.run('patient', 'export', '--original', '--out', out)
    expect(await readFile(out, 'utf8')).to.equal(text)
  })

  it('refuses what is no FHIR and keeps nothing of it', async () => {
    const before = (await entries()).length
    for (const bad of [
      '{"resourceType":"Patient"',
      '{"resourceType":"Patient","__proto__":1}',
      '{"resourceType":"A"} x'
    ]) {
      const { code, errorText } = await patient.attempt('patient', 'import', await world.file('bad.json', bad))
      expect(code, errorText).to.not.equal(0)
      expect(errorText).to.match(/JSON_/)
    }
    expect(await entries()).to.have.lengthOf(before)
  })

  for (const [when, nth] of [
    ['before', 3],
    ['after', 20]
  ] as const) {
    it(`finishes an import by itself, killed ${when} message ${String(nth)}`, async () => {
      const more = syntheticFhirPatient({ seed: 100 + nth, visits: 12 })
      const file = await world.file(`more-${String(nth)}.json`, more)
      const before = (await entries()).length
      let seen = 0
      proxy.watcher[when] = async ({ path }) => {
        if (path !== '/v1/messages' || ++seen !== nth) return
        process.kill(patient.service.pid, 'SIGKILL')
        await patient.service.ended
      }
      expect((await patient.attempt('patient', 'import', file)).code).to.not.equal(0)
      proxy.watcher[when] = undefined
      patient = await world.agent('patient', { nodeUrl: proxy.url })
      await patient.client.post('/v1/unlock', { passphrase: PASSPHRASE })
      await until('the import is done', 60_000, async () => {
        const { imports } = await patient.client.get<{ imports: { state: string }[] }>('/v1/patient/imports')
        return imports.length === 1 && imports[0]?.state === 'done'
      })
      const { originals } = await patient.client.get<{ originals: { entry: string }[] }>('/v1/patient/originals')
      const out = join(world.dir, 'more.json')
      await patient.run('patient', 'export', '--original', originals.at(-1)?.entry ?? '', '--out', out)
      expect(await readFile(out, 'utf8')).to.equal(more)
      const written = (await entries()).length - before
      const count = (JSON.parse(more) as { entry: unknown[] }).entry.length
      expect(written).to.be.within(count + 1, count + 20)
      const ids = (await entries()).slice(before).map(({ entry }) => entry)
      expect(new Set(ids).size).to.equal(ids.length)
    })
  }
})
