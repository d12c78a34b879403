import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'
import { CLIENT, runHapiClient, startHospital, type Hospital } from '#test/interop/hapi.ts'

interface Resource {
  resourceType: string
  id: string
  meta?: { versionId?: string }
}

interface Issue {
  severity: string
  diagnostics?: string
  location?: string[]
}

const classPath = process.env['SALUS_TEST_HAPI'] ?? ''

/** Run by `npm run test:interop -- hapi`. */
describe('a record and HAPI FHIR', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let hospital: Hospital
  let patient: AgentProcess
  const made = JSON.parse(syntheticFhirPatient({ seed: 11, visits: 8 })) as { entry: { resource: Resource }[] }
  const resources = made.entry.map(({ resource }) => resource)
  const nameOf = ({ resourceType, id }: Resource): string => `${resourceType}/${id}`

  before(async () => {
    world = await createAgentWorld()
    hospital = await startHospital(classPath, world.dir)
    patient = await world.agent('patient')
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    for (const each of resources) await put(each)
  })

  after(async () => {
    await hospital.stop()
    await world.stop()
  })

  const put = async (resource: Resource): Promise<void> => {
    const { status, text } = await hospital.ask(nameOf(resource), { method: 'PUT', body: JSON.stringify(resource) })
    expect(status, text).to.be.oneOf([200, 201])
  }
  const sync = async (...args: string[]) =>
    patient.attempt(
      ...['patient', 'sync-his', '--base', hospital.base, '--client', CLIENT, '--key-file', hospital.keyFile],
      ...['--patient', 'p', '--allow-http', ...args]
    )
  const served = async (path: string): Promise<unknown> => {
    const token = await readFile(join(patient.home, 'token'), 'utf8')
    return (await fetch(`${patient.url}/fhir/${path}`, { headers: { authorization: `Bearer ${token}` } })).json()
  }
  const entries = async (): Promise<{ entry: string; revision: number; type: string }[]> => {
    const listed = (await patient.run('patient', 'entries'))['entries'] as {
      entry: string
      revision: number
      type: string
    }[]
    return listed.filter(({ type }) => type === 'application/fhir+json')
  }
  const faults = async (type: string, text: string): Promise<Issue[]> => {
    const { status, text: outcome } = await hospital.ask(`${type}/$validate`, { method: 'POST', body: text })
    expect(status, outcome).to.be.oneOf([200, 400, 412, 422])
    const { issue } = JSON.parse(outcome) as { issue: Issue[] }
    return issue.filter(({ severity }) => severity === 'error' || severity === 'fatal')
  }

  it('brings everything from its server, page by page, and serves it as the server does', async () => {
    const { code, errorText, lines } = await sync()
    expect(code, errorText).to.equal(0)
    expect(lines[0]).to.include({ state: 'done', unsound: 0 })
    expect(await entries()).to.have.lengthOf(resources.length)
    for (const each of resources) {
      const theirs = JSON.parse((await hospital.ask(nameOf(each))).text) as Resource
      // Large contents are links there.
      if (each.resourceType !== 'DocumentReference') expect(await served(nameOf(each))).to.deep.equal(theirs)
    }
  })

  it('brings what changed there as a revision, and nothing twice', async () => {
    const before = await entries()
    const condition = resources.find(({ resourceType }) => resourceType === 'Condition')
    if (condition == null) throw new Error('no condition')
    await put({ ...condition, ...{ recordedDate: '2026-11-01' } })
    const { code, errorText } = await sync()
    expect(code, errorText).to.equal(0)
    const after = await entries()
    expect(after).to.have.lengthOf(before.length + 1)
    expect(after.at(-1)).to.include({ revision: 2 })
    expect(await served(nameOf(condition))).to.deep.include({ recordedDate: '2026-11-01' })
    expect((await sync('--all')).code).to.equal(0)
    expect(await entries()).to.have.lengthOf(after.length)
  })

  it('is refused by its server with another key', async () => {
    const key = JSON.parse(await readFile(hospital.keyFile, 'utf8')) as Record<string, string>
    const { subtle } = globalThis.crypto
    const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify'])
    const other = { ...(await subtle.exportKey('jwk', pair.privateKey)), kid: key['kid'] }
    const file = await world.file('other-key.json', JSON.stringify(other))
    expect((await sync('--key-file', file)).errorText).to.contain('HIS_TOKEN')
  })

  it('is read by its client: capabilities, search, pages, sorting, a search by POST, and what is not there', async () => {
    const observations = resources.filter(({ resourceType }) => resourceType === 'Observation').length
    const seen = await runHapiClient(classPath, {
      ...{ base: `${patient.url}/fhir`, tokenFile: join(patient.home, 'token'), code: '8867-4' }
    })
    expect(seen).to.deep.equal({
      ...{ fhirVersion: '4.0.1', total: observations, seen: observations, pages: Math.ceil(observations / 3) },
      ...{ coded: 8, patient: 'p', isMissed: true }
    })
  })

  it('knows what HL7’s validator does not pass', async () => {
    expect(await faults('Bundle', '{"resourceType":"Bundle","type":"nonsense"}')).to.not.deep.equal([])
    expect(await faults('Bundle', '{"resourceType":"Bundle","type":"document"}')).to.not.deep.equal([])
  })

  for (const format of ['bundle', 'ips'] as const) {
    it(`exports as ${format} what HL7’s validator passes`, async () => {
      const out = join(world.dir, `${format}.json`)
      await patient.run('patient', 'export', '--format', format, '--out', out)
      expect(await faults('Bundle', await readFile(out, 'utf8'))).to.deep.equal([])
    })
  }

  it('makes a page of its server again to the byte', async () => {
    const { text } = await hospital.ask('Observation?patient=p')
    const file = await world.file('page.json', text)
    const other = await world.agent('other', { node: 1 })
    await other.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    await other.run('patient', 'import', file)
    const out = join(world.dir, 'page-again.json')
    await other.run('patient', 'export', '--original', '--out', out)
    expect(await readFile(out, 'utf8')).to.equal(text)
  })
})
