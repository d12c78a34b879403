import { expect } from 'chai'
import { startProxy, type Proxy } from '#test/agent/proxy.ts'
import { createAgentWorld, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Data {
  readonly entries: readonly { readonly type: string | null; readonly code: string | null }[]
  readonly asOf: { readonly position: number; readonly header: string } | null
  readonly masterAsOf: { readonly position: number } | null
  readonly freshness: 'current' | 'stale'
}

describe('data access while the patient’s phone is off', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let proxy: Proxy
  let patient: AgentProcess
  let reader: AgentProcess
  let writer: AgentProcess
  const grants: string[] = []
  let reads = 0

  before(async () => {
    world = await createAgentWorld()
    proxy = await startProxy(world.nodes[1]!.httpUrl)
    proxy.watcher.before = ({ path }) => {
      if (path === '/v1/entries/query') reads++
    }
    patient = await world.agent('patient')
    reader = await world.agent('reader', { nodeUrl: proxy.url })
    writer = await world.agent('writer', { node: 2 })
    await patient.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    await patient.run('patient', 'import', await world.file('first.txt', 'first'), '--compartment', 'documents')
    for (const [agent, rights] of [
      [reader, ['--read', '--history']],
      [writer, ['--read', '--write', '--history']]
    ] as const) {
      await agent.run('clinician', 'create', '--passphrase-file', world.passphraseFile)
      const asked = await agent.run('clinician', 'request', '--name', 'Dr. A', '--compartment', 'documents', ...rights)
      const given = await patient.run('patient', 'grant', '--to', (asked['code'] as { text: string }).text)
      await agent.run('clinician', 'claim', (given['answer'] as { text: string }).text)
      grants.push(String(given['grant']))
    }
    await patient.stop()
  })

  after(async () => {
    await proxy.stop()
    await world.stop()
  })

  /** Backups of the patient's agent are in the record too, closed to everybody else. */
  const data = async (): Promise<Data> => {
    const answer = await reader.client.get<Data>(`/v1/clinician/grants/${grants[0]!}/data`)
    return { ...answer, entries: answer.entries.filter(({ code }) => code == null) }
  }
  const fresh = async (after: number): Promise<Data> =>
    reader.client.get(`/v1/clinician/grants/${grants[0]!}/data/fresh?after=${String(after)}&waitMs=20000`)

  it('begins with nothing, says so, and tells when there is something', async () => {
    expect(await data()).to.deep.include({ entries: [], asOf: null, freshness: 'stale' })
    expect((await fresh(0)).freshness).to.equal('current')
    const now = await data()
    expect(now.freshness).to.equal('current')
    expect(now.entries.map(({ type }) => type)).to.deep.equal(['text/plain'])
    expect(now.asOf).to.deep.equal(now.masterAsOf)
  })

  it('answers a hundred at once with what it has, and asks the node for entries once', async () => {
    const { asOf } = await data()
    await writer.run(
      'clinician',
      'write',
      grants[1]!,
      await world.file('note.txt', 'note'),
      '--compartment',
      'documents'
    )
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
      if ((await world.nodes[1]!.client.status()).messages >= (await world.nodes[2]!.client.status()).messages) break
    }
    reads = 0
    const answers = await Promise.all(Array.from({ length: 100 }, data))
    expect(answers[0]).to.include({ freshness: 'stale' })
    expect(answers[0]!.asOf).to.deep.equal(asOf)
    expect((await fresh(asOf!.position)).freshness).to.equal('current')
    expect(reads).to.equal(1)
    expect((await data()).entries).to.have.lengthOf(2)
  })

  it('tells who waits of what is written meanwhile', async () => {
    const { asOf } = await data()
    const waiting = fresh(asOf!.position)
    await writer.run(
      'clinician',
      'write',
      grants[1]!,
      await world.file('late.txt', 'late'),
      '--compartment',
      'documents'
    )
    const told = await waiting
    expect(told.freshness).to.equal('current')
    expect(told.asOf!.position).to.be.greaterThan(asOf!.position)
    expect((await data()).entries).to.have.lengthOf(3)
  })

  it('goes on answering, as stale, while the node is away', async () => {
    proxy.watcher.before = () => {
      throw new Error('away')
    }
    const away = await data()
    expect(away).to.deep.include({ freshness: 'stale', masterAsOf: null })
    expect(away.entries).to.have.lengthOf(3)
  })
})
