import { expect } from 'chai'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

type Row = Readonly<Record<string, unknown>>
const LOINC = 'http://loinc.org'

describe('a patient’s blind search at a node', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let patient: AgentProcess
  let node: string

  const observation = (code: string, value: number) => ({
    ...{ resourceType: 'Observation', status: 'final', subject: { reference: 'Patient/1' } },
    ...{ code: { coding: [{ system: LOINC, code }] }, valueQuantity: { value } },
    effectiveDateTime: new Date().toISOString()
  })

  async function put(name: string, resource: unknown, compartment: string): Promise<void> {
    const file = await world.file(`${name}.json`, JSON.stringify(resource))
    await patient.run('patient', 'import', file, '--compartment', compartment, '--type', 'application/fhir+json')
  }

  const search = async (...wish: string[]): Promise<Row[]> =>
    (await patient.run('patient', 'search', '--at', node, ...wish))['entries'] as Row[]
  const hand = async (): Promise<Record<string, unknown>> => patient.run('patient', 'blind-lists', node)

  before(async () => {
    world = await createAgentWorld()
    node = world.nodes[2]!.httpUrl
    patient = await world.agent('patient')
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    await put('pulse', observation('8867-4', 61), 'vitals')
    await put('pulse-2', observation('8867-4', 64), 'vitals')
    await put('glucose', observation('2345-7', 5), 'labs')
    await put('score', observation('44249-1', 12), 'mental')
    await put('goal', { resourceType: 'Goal', lifecycleStatus: 'active', description: { text: 'walk' } }, 'documents')
  })

  after(async () => world.stop())

  it('finds nothing before lists are there, and what they name afterwards', async () => {
    expect(await search('--code', '8867-4')).to.deep.equal([])
    const { lists } = await hand()
    expect(lists).to.be.greaterThan(3)
    const found = await search('--code', '8867-4')
    expect(found).to.have.lengthOf(2)
    for (const each of found) expect(each).to.include({ compartment: 'vitals', code: null, place: 'stands' })
    expect(await search('--type', 'Observation')).to.have.lengthOf(3)
    expect(await search('--type', 'Observation', '--compartment', 'labs')).to.have.lengthOf(1)
    expect(await search('--type', 'Observation', '--from', '2001-01-01', '--to', '2001-12-31')).to.deep.equal([])
  })

  it('tells rare types apart by what they say, and names nothing of what has no tags', async () => {
    expect(await search('--type', 'Goal')).to.have.lengthOf(1)
    expect(await search('--type', 'CarePlan')).to.deep.equal([])
    expect(await search('--type', 'Observation', '--compartment', 'mental')).to.deep.equal([])
  })

  it('takes no question that would tell, and asks no node that has no lists', async () => {
    for (const wish of [['--code', '44249-1'], ['walk'], []]) {
      const refused = await patient.attempt('patient', 'search', '--at', node, ...wish)
      expect(refused.errorText).to.contain('BLIND_QUESTION')
    }
    const elsewhere = ['patient', 'search', '--at', world.nodes[1]!.httpUrl, '--code', '8867-4']
    expect((await patient.run(...elsewhere))['entries']).to.deep.equal([])
  })

  it('forgets lists with the keys they were made under, until new ones are handed in', async () => {
    const doctor = await world.agent('doctor', { node: 1 })
    await doctor.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
    const asked = await doctor.run('clinician', 'request', '--name', 'Dr. A', '--compartment', 'vitals', '--read')
    const given = await patient.run('patient', 'grant', '--to', (asked['code'] as { text: string }).text)
    await patient.run('patient', 'revoke', String(given['grant']))
    expect(await search('--code', '8867-4')).to.deep.equal([])
    await put('pulse-3', observation('8867-4', 66), 'vitals')
    await hand()
    expect(await search('--code', '8867-4')).to.have.lengthOf(3)
    expect(await search('--type', 'Observation', '--compartment', 'labs')).to.have.lengthOf(1)
  })
})
