import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { canonicalJson, parseJson } from '#core/fhir/json/parse.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'
import { referenceData } from '#test/reference-data.ts'

const BULK_LINES = 60

interface Bundle {
  readonly type: string
  readonly entry: readonly { readonly resource: { readonly resourceType: string; readonly section?: unknown[] } }[]
}

describe('reference data through the command line', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let count = 0

  before(async () => {
    world = await createAgentWorld()
  })

  after(async () => {
    await world.stop()
  })

  /** A patient who imports one text, which has to come out as it went in. */
  async function patientWith(name: string, text: string, resources: number): Promise<AgentProcess> {
    const agent = await world.agent(`patient-${String(++count)}`)
    await agent.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    const answer = await agent.run('patient', 'import', await world.file(name, text))
    expect(answer).to.include({ importer: 'fhir', state: 'done', resources })
    const out = join(world.dir, 'original')
    await agent.run('patient', 'export', '--original', '--out', out)
    expect(await readFile(out, 'utf8')).to.equal(text)
    return agent
  }

  async function exported(agent: AgentProcess, format: string): Promise<string> {
    const out = join(world.dir, `out.${format}`)
    await agent.run('patient', 'export', '--format', format, '--out', out)
    return readFile(out, 'utf8')
  }

  const canonical = (text: string): string => canonicalJson(parseJson(Buffer.from(text)))
  const resourcesIn = ({ entry }: Bundle): string[] =>
    entry.map(({ resource }) => canonical(JSON.stringify(resource))).sort()

  for (const part of ['records/fhir/ips/Bundle-bundle-ips-all-sections.json', 'records/smart/IPS_IG-bundle-01.json']) {
    it(`takes the patient summary ${part} in, and gives it out by every format`, async function () {
      const text = await readFile(referenceData(this, part), 'utf8')
      const bundle = JSON.parse(text) as Bundle
      const agent = await patientWith('summary.json', text, bundle.entry.length)
      const lines = (await exported(agent, 'ndjson')).trimEnd().split('\n')
      expect(lines.map(canonical).sort()).to.deep.equal(resourcesIn(bundle))
      const collection = JSON.parse(await exported(agent, 'bundle')) as Bundle
      expect(resourcesIn(collection)).to.deep.equal(resourcesIn(bundle))
      const summary = JSON.parse(await exported(agent, 'ips')) as Bundle
      const [first] = summary.entry
      expect(summary.type).to.equal('document')
      expect(first?.resource.resourceType).to.equal('Composition')
      expect(first?.resource.section).to.have.length.of.at.least(3)
      await agent.stop()
    })
  }

  it('takes a bulk export in, and gives it out a resource a line', async function () {
    const path = referenceData(this, 'research/synthea-patients/Patient.000.ndjson')
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, BULK_LINES)
    const agent = await patientWith('Patient.ndjson', `${lines.join('\n')}\n`, BULK_LINES)
    const again = (await exported(agent, 'ndjson')).trimEnd().split('\n')
    expect(again.sort()).to.deep.equal(lines.sort())
  })
})
