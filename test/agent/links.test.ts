import { createServer, type AddressInfo } from 'node:net'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Link {
  id: string
  link: string
  isLive: boolean
  attemptsLeft: number
  claims: { recipient: string }[]
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>(resolve => server.close(() => resolve()))
  return port
}

describe('links out of and into a record', function () {
  this.timeout(240_000)
  let world: AgentWorld
  let patient: AgentProcess
  let other: AgentProcess
  let share: string

  const start = async (): Promise<AgentProcess> =>
    world.agent('patient', { args: ['--share-listen', new URL(share).host, '--share-url', share] })
  const create = async (...args: string[]): Promise<Link> =>
    (await patient.run('patient', 'link', 'create', ...args)) as unknown as Link
  const linkNamed = async (id: string): Promise<Link | undefined> =>
    ((await patient.run('patient', 'link', 'list'))['links'] as Link[]).find(each => each.id === id)
  const openIn = async (link: string, ...args: string[]) =>
    other.attempt('patient', 'import', link, '--allow-http', '--recipient', 'Clinic', ...args)

  before(async () => {
    world = await createAgentWorld()
    share = `http://127.0.0.1:${String(await freePort())}`
    patient = await start()
    other = await world.agent('other', { node: 1 })
    for (const each of [patient, other]) await each.run('patient', 'create', '--passphrase-file', world.passphraseFile)
    const text = syntheticFhirPatient({ seed: 3, visits: 4 })
    await patient.run('patient', 'import', await world.file('record.json', text))
  })

  after(async () => {
    await world.stop()
  })

  it('open once for whoever knows the passcode, and are then imported', async () => {
    const passcode = await world.file('passcode', 'late spring\n')
    const made = await create('--passcode-file', passcode)
    expect(made.link).to.match(/^shlink:\//)
    const wrong = await openIn(made.link, '--passcode-file', await world.file('guess', 'early autumn'))
    expect(wrong.errorText).to.contain('SHL_PASSCODE_WRONG')
    expect((await linkNamed(made.id))?.attemptsLeft).to.equal(9)
    const opened = await openIn(made.link, '--passcode-file', passcode)
    expect(opened.code, opened.errorText).to.equal(0)
    expect(opened.lines[0]).to.include({ importer: 'fhir', state: 'done' })
    const out = join(world.dir, 'received.json')
    await other.run('patient', 'export', '--original', '--out', out)
    const received = await readFile(out, 'utf8')
    expect(JSON.parse(received)).to.include({ resourceType: 'Bundle', type: 'document' })
    expect(received).to.not.contain('F11.2')
    expect((await openIn(made.link, '--passcode-file', passcode)).errorText).to.contain('SHL_GONE')
    expect(await linkNamed(made.id)).to.deep.include({ isLive: false })
    expect((await linkNamed(made.id))?.claims.map(({ recipient }) => recipient)).to.deep.equal(['Clinic'])
  })

  it('are served while the vault is shut, count across kill -9, and hold no key', async () => {
    const made = await create('--uses', '2')
    await patient.run('agent', 'lock')
    expect((await openIn(made.link)).code).to.equal(0)
    process.kill(patient.service.pid, 'SIGKILL')
    await patient.service.ended
    patient = await start()
    expect((await openIn(made.link)).code).to.equal(0)
    expect((await openIn(made.link)).errorText).to.contain('SHL_GONE')
    const payload = JSON.parse(Buffer.from(made.link.slice(8), 'base64url').toString()) as { key: string }
    const key = Buffer.from(payload.key, 'base64url')
    for (const name of await readdir(join(patient.home, 'links'))) {
      const bytes = await readFile(join(patient.home, 'links', name))
      expect(bytes.includes(key) || bytes.includes(payload.key)).to.equal(false)
    }
    await patient.client.post('/v1/unlock', { passphrase: PASSPHRASE })
  })

  it('end at once when they are revoked, and look as if they never were', async () => {
    const made = await create('--often')
    await patient.run('patient', 'link', 'revoke', made.id)
    expect((await openIn(made.link)).errorText).to.contain('SHL_GONE')
    const payload = JSON.parse(Buffer.from(made.link.slice(8), 'base64url').toString()) as { url: string }
    const ask = async (url: string) => fetch(url, { method: 'POST', body: '{"recipient":"x"}' })
    const [ended, never] = await Promise.all([ask(payload.url), ask(`${share}/shl/${'A'.repeat(43)}`)])
    expect([never.status, await never.text()]).to.deep.equal([ended.status, await ended.text()])
    expect((await ask(`${share}/v1/status`)).status).to.equal(404)
    const large = await fetch(payload.url, { method: 'POST', body: 'x'.repeat(10_000) })
    expect(large.status).to.equal(413)
  })

  it('are not made where nobody could open them', async () => {
    const { errorText } = await other.attempt('patient', 'link', 'create')
    expect(errorText).to.contain('SHL_NOT_SERVED')
  })
})
