import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { until } from '#scripts/story/until.ts'
import { startProxy, type Passing, type Proxy } from '#test/agent/proxy.ts'
import { createAgentWorld, PASSPHRASE, type AgentProcess, type AgentWorld } from '#test/agent/world.ts'

interface Status {
  state: string
  patient: { waiting: number; backedUp: boolean } | null
}
interface Given {
  grant: string
  answer: { text: string }
}

const RELAY = '/v1/relay'
const MESSAGE = '/v1/messages'

describe('an agent that is killed', function () {
  this.timeout(300_000)
  let world: AgentWorld
  let proxy: Proxy
  let patient: AgentProcess
  let doctor: AgentProcess

  before(async () => {
    world = await createAgentWorld()
    proxy = await startProxy(world.nodes[0]?.httpUrl ?? '')
    patient = await world.agent('patient', { nodeUrl: proxy.url })
    await patient.client.post('/v1/vault', { passphrase: PASSPHRASE, deviceName: 'laptop' })
    await patient.client.post('/v1/patient')
    doctor = await world.agent('doctor')
    await doctor.client.post('/v1/vault', { passphrase: PASSPHRASE, deviceName: 'ward' })
    await doctor.client.post('/v1/clinician')
  })

  after(async () => {
    await proxy.stop()
    await world.stop()
  })

  async function requestCode(): Promise<string> {
    const wish = { name: 'Dr. A', compartments: ['documents'], rights: ['read', 'history'], purpose: 'treatment' }
    const { code } = await doctor.client.post<{ code: { text: string } }>('/v1/clinician/requests', wish)
    return code.text
  }

  /** Does something and kills the agent at the n-th request to a path, before or after the node has it; starts it again. */
  async function killedAt(
    when: 'before' | 'after',
    path: string,
    nth: number,
    act: () => Promise<unknown>
  ): Promise<void> {
    let seen = 0
    proxy.watcher[when] = async ({ path: at }: Passing) => {
      if (!at.startsWith(path) || ++seen !== nth) return
      process.kill(patient.service.pid, 'SIGKILL')
      await patient.service.ended
    }
    const failed = await act().then(
      () => false,
      () => true
    )
    expect(failed, 'the agent died on the way').to.equal(true)
    proxy.watcher[when] = undefined
    patient = await world.agent('patient', { nodeUrl: proxy.url })
    await patient.client.post('/v1/unlock', { passphrase: PASSPHRASE })
    await until('everything is done', 60_000, async () => {
      const { patient: account } = await patient.client.get<Status>('/v1/status')
      return account?.waiting === 0 && account.backedUp
    })
  }

  async function grantStates(): Promise<string[]> {
    const { grants } = await patient.client.get<{ grants: { state: string }[] }>('/v1/patient/grants')
    return grants.map(({ state }) => state)
  }

  async function accesses(): Promise<string[]> {
    const answer = await patient.client.get<{ accesses: { what: string }[] }>('/v1/patient/accesses')
    return answer.accesses.map(({ what }) => what)
  }

  for (const [when, path, nth] of [
    ['before', MESSAGE, 1],
    ['after', MESSAGE, 1],
    ['before', RELAY, 1],
    ['after', RELAY, 1],
    ['before', MESSAGE, 2],
    ['after', MESSAGE, 2]
  ] as const) {
    it(`gives a grant once, killed ${when} request ${String(nth)} to ${path}`, async () => {
      const before = (await grantStates()).length
      const code = await requestCode()
      await killedAt(when, path, nth, () => patient.client.post<Given>('/v1/patient/grants', { code }))
      expect(await grantStates()).to.have.lengthOf(before + 1)
      expect((await accesses()).filter(what => what === 'granted')).to.have.lengthOf(before + 1)
      const again = await patient.client.post('/v1/patient/grants', { code }).catch((error: unknown) => error)
      expect(again).to.include({ code: 'REQUEST_CODE_REPLAYED' })
      const { grants } = await doctor.client.get<{ grants: { hasKeys: boolean }[] }>('/v1/clinician/grants')
      expect(grants.filter(({ hasKeys }) => hasKeys)).to.have.lengthOf(before + 1)
    })
  }

  for (const [when, path, nth] of [
    ['after', MESSAGE, 1],
    ['after', RELAY, 1],
    ['after', MESSAGE, 2],
    ['before', MESSAGE, 3]
  ] as const) {
    it(`ends a grant once, killed ${when} request ${String(nth)} to ${path}`, async () => {
      const revoked = (await grantStates()).filter(state => state === 'revoked').length
      const { grants } = await patient.client.get<{ grants: { grant: string; state: string }[] }>('/v1/patient/grants')
      const grant = grants.find(({ state }) => state === 'live')?.grant ?? ''
      await killedAt(when, path, nth, () => patient.client.post(`/v1/patient/grants/${grant}/revoke`))
      expect((await grantStates()).filter(state => state === 'revoked')).to.have.lengthOf(revoked + 1)
      expect((await accesses()).filter(what => what === 'revoked')).to.have.lengthOf(revoked + 1)
    })
  }

  for (const [when, path] of [
    ['before', MESSAGE],
    ['after', MESSAGE],
    ['before', '/v1/blobs'],
    ['after', '/v1/blobs']
  ] as const) {
    it(`writes an entry once, killed ${when} a request to ${path}`, async () => {
      const list = async () => patient.client.get<{ entries: { bodyBytes: number | null }[] }>('/v1/patient/entries')
      const before = (await list()).entries.length
      const body = randomBytes(100_000)
      const send = async () => patient.client.send('/v1/patient/entries', body, 'image/png')
      await killedAt(when, path, 1, send)
      const { entries } = await list()
      expect(entries).to.have.lengthOf(before + 1)
      expect(entries.at(-1)?.bodyBytes).to.equal(100_000)
      await send()
      expect((await list()).entries).to.have.lengthOf(before + 1)
    })
  }

  it('lets its grants read everything afterwards', async () => {
    const { grants } = await doctor.client.get<{ grants: { grant: string; state: string }[] }>('/v1/clinician/grants')
    const live = grants.filter(({ state }) => state === 'live')
    expect(live.length).to.be.greaterThan(0)
    for (const { grant } of live) {
      const path = `/v1/clinician/grants/${grant}/entries`
      const { entries } = await doctor.client.get<{ entries: { type: string | null }[] }>(path)
      expect(entries.filter(({ type }) => type === 'image/png')).to.have.lengthOf(4)
    }
  })

  it('waits for a node that is away, and finishes by itself', async () => {
    proxy.watcher.before = () => {
      throw new Error('away')
    }
    const code = await requestCode()
    const given = await patient.client.post<{ progress: unknown }>('/v1/patient/grants', { code })
    expect(given.progress).to.deep.equal({ state: 'waiting', code: 'NODE_UNREACHABLE' })
    proxy.watcher.before = undefined
    await until('the grant is given', 60_000, async () => {
      await pause(500)
      return !(await grantStates()).includes('waiting')
    })
  })
})
