import { readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { readLocalAccess } from '#node/auth/local-token.ts'
import { ROOT } from '#scripts/process/run.ts'
import { runClients } from '#scripts/soak/clients.ts'
import { mixedAsk, slopeOf } from '#scripts/soak/http.ts'
import { createTestWorld, messageOf, noteOf, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'
import { parseOpenMetrics } from '#test/node/metrics/parse-open-metrics.ts'

describe('many HTTP clients', function () {
  this.timeout(120_000)
  let world: TestWorld
  let node: TestNode

  before(async () => {
    world = await createTestWorld()
    node = await world.node({ http: { port: 0, requests: { perSecond: 1e6, burst: 1e6 } } })
  })

  after(async () => {
    await world.stop()
  })

  async function gauge(name: string): Promise<number | undefined> {
    const { token } = await readLocalAccess(node.dataDir)
    const answer = await fetch(new URL('/metrics', node.url), { headers: { authorization: `Bearer ${token}` } })
    return parseOpenMetrics(await answer.text()).get(name)?.samples[0]?.value
  }

  it('are all answered, a thousand at once', async () => {
    const { statuses } = await runClients({ url: node.url, clients: 1_000, requests: 3, ask: mixedAsk })
    expect(statuses).to.deep.equal({ 200: 1_800, 404: 1_200 })
    // The request that asks is one.
    await until(async () => (await gauge('salus_http_requests_in_flight')) === 1)
  })

  it('that never finish their requests do not keep others out', async () => {
    const { hostname, port } = new URL(node.url)
    const slow = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      socket.write(
        'POST /v1/relay HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{'
      )
      return socket
    })
    expect((await node.client.status()).chain.state).to.equal('following')
    for (const socket of slow) socket.destroy()
    await until(async () => (await gauge('salus_http_requests_in_flight')) === 1)
  })

  it('that read no events are let go of, and cost no more than the ring', async () => {
    const { hostname, port } = new URL(node.url)
    const readers = Array.from({ length: 16 }, () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      socket.pause()
      socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n')
      return socket
    })
    await until(async () => (await gauge('salus_event_readers')) === 16)
    const refused = await fetch(new URL('/v1/events', node.url))
    expect([refused.status, ((await refused.json()) as { code: string }).code]).to.deep.equal([503, 'EVENTS_BUSY'])
    for (const socket of readers) socket.destroy()
    await until(async () => (await gauge('salus_event_readers')) === 0)
  })

  it('measures everything that the dashboard shows and the alerts judge', async () => {
    // Of a node that places blobs, and of one that was backed up, too.
    const placing = await world.node({ placement: { replicas: 1, pledgedBytes: 2 ** 30 } })
    const { token: other } = await readLocalAccess(placing.dataDir)
    const backedUp = await fetch(new URL('/v1/backups', placing.url), {
      method: 'POST',
      body: JSON.stringify({ to: `${placing.dataDir}-backups` }),
      headers: { authorization: `Bearer ${other}`, 'content-type': 'application/json' }
    })
    expect(await backedUp.text()).to.include('"done"')
    await rm(`${placing.dataDir}-backups`, { recursive: true })
    const { token } = await readLocalAccess(node.dataDir)
    const names = async (from = { url: node.url, token }): Promise<string[]> => {
      const answer = await fetch(new URL('/metrics', from.url), { headers: { authorization: `Bearer ${from.token}` } })
      const families = [...parseOpenMetrics(await answer.text()).values()]
      return families.flatMap(({ samples }) => samples.map(({ name }) => name))
    }
    // What is counted by route is there from its first request on.
    const patient = await world.patient(node)
    await node.client.publish(messageOf(world.network, patient, noteOf(patient)))
    // Asked for in the background.
    await until(async () => (await names()).includes('salus_relayer_balance_ether'))
    const there = new Set([...(await names()), ...(await names({ url: placing.url, token: other }))])
    const read = async (name: string): Promise<string> => readFile(join(ROOT, 'docs/operate', name), 'utf8')
    const dashboard = JSON.parse(await read('grafana-dashboard.json')) as { panels: { targets: { expr: string }[] }[] }
    const alerts = await read('alerts.yml')
    const asked = [...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), alerts].join(' ')
    const used = new Set([...asked.matchAll(/salus_[a-z_]+/g)].map(([name]) => name))
    expect(used.size).to.be.above(20)
    expect([...used].filter(name => !there.has(name))).to.deep.equal([])
    const runbook = await readFile(join(ROOT, 'docs/guides/operate-a-node.md'), 'utf8')
    const headings = [...runbook.matchAll(/^### (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-')
    )
    const cited = [...alerts.matchAll(/operate-a-node\.md#([a-z0-9-]+)/g)].map(([, anchor]) => anchor)
    expect(cited).to.have.length.above(10)
    expect(cited.filter(anchor => !headings.includes(anchor ?? ''))).to.deep.equal([])
  })

  it('grow memory by a slope that is computed right', () => {
    expect(slopeOf([1, 3, 5, 7])).to.equal(2)
    expect(slopeOf([4, 4, 4])).to.equal(0)
    expect(slopeOf([4])).to.equal(0)
  })
})
