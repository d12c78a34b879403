import { connect } from 'node:net'
import { expect } from 'chai'
import { readLocalAccess } from '#node/auth/local-token.ts'
import { runClients } from '#scripts/soak/clients.ts'
import { mixedAsk, slopeOf } from '#scripts/soak/http.ts'
import { createTestWorld, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'
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

  it('grow memory by a slope that is computed right', () => {
    expect(slopeOf([1, 3, 5, 7])).to.equal(2)
    expect(slopeOf([4, 4, 4])).to.equal(0)
    expect(slopeOf([4])).to.equal(0)
  })
})
