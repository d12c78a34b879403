import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { signGatewayHead } from '#core/batch/gateway-head.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { PlainServer } from '#node/http/plain-server.ts'
import { createAggregator, type Aggregator } from '#gateway/aggregator/aggregator.ts'
import { createAggregatorServer } from '#gateway/aggregator/server.ts'
import { createAggregatorClient } from '#gateway/aggregator-client.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { createGateway } from '#gateway/gateway.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import { deriveGateway, signEvidence } from '#gateway/identity.ts'
import { proveReading } from '#gateway/prove.ts'
import { createReplay } from '#gateway/replay.ts'
import { expectCode } from '#test/error-code.ts'
import { random } from '#test/gateway/fresh.ts'
import { devWallet, silent, startWard, type Ward } from '#test/gateway/ward.ts'

describe('aggregator of gateways', function () {
  this.timeout(120_000)
  let ward: Ward
  let directory: string
  let aggregator: Aggregator
  let server: PlainServer
  let url: string
  /** Each test has an account of its own: its epochs begin at 1. */
  let account = 4
  const clock = (): number => Date.now()

  before(async () => {
    ward = await startWard()
  })
  after(async () => {
    await ward.stop()
  })
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-aggregator-'))
    account++
    await open()
  })
  afterEach(async () => {
    await server.stop()
    await aggregator.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function open(): Promise<void> {
    const { node, deployment, identity } = ward
    const wallet = devWallet(account)
    const known = {
      ...node,
      gateway: async (id: string) => ({ ...(await node.gateway(id)), certificate: toHex(identity.certificate) })
    }
    aggregator = createAggregator(
      {
        p,
        clock,
        log: silent,
        node: known,
        target: deployment,
        signer: { signer: fromHex(wallet.address, 20), wallet }
      },
      { dataDir: join(directory, 'aggregator'), network: networkIdOfDeployment(deployment), epochMs: 300 }
    )
    await aggregator.start()
    server = createAggregatorServer(aggregator, { host: '127.0.0.1', port: 0 })
    url = await server.start()
  }

  async function run(seconds: number, slaMs: number): Promise<GatewayEvent[]> {
    const { node, identity, deployment, evidence, grant, patient } = ward
    const rows = Array.from({ length: seconds }, (_, i) => `${String(i)},${String(60 + (i % 7))}\n`)
    const recording = parseRecording(utf8(`Time [s],HR\n${rows.join('')}`))
    const events: GatewayEvent[] = []
    const gateway = createGateway(
      {
        ...{ p, random, clock, log: silent, node, identity, deployment, evidence },
        sources: [createReplay({ clock }, { recording, device: 'monitor', speed: Infinity })],
        aggregator: createAggregatorClient({ url, signal: new AbortController().signal })
      },
      {
        dataDir: join(directory, 'gateway'),
        grant,
        patientKeys: keyBundleDigest(patient.keys.bundleBytes),
        batchSeconds: 10,
        anchorEvery: 1000,
        aggregatorSlaMs: slaMs,
        exitAtEnd: true,
        keepBatches: 100,
        onEvent: event => events.push(event)
      }
    )
    await gateway.start()
    try {
      await gateway.ended
    } finally {
      await gateway.stop()
    }
    return events
  }

  it('anchors a gateway’s head among others, which keeps where it lies', async () => {
    const events = await run(30, 20_000)
    const rooted = events.find(each => each.event === 'rooted')
    expect(rooted).to.include({ sequence: 1, epoch: 1, treeSize: 33 })
    expect(events.filter(each => each.event === 'anchored')).to.have.length(0)
    const kept = await (await openBatchFiles(join(directory, 'gateway'))).rootedFrom(10)
    expect([kept?.treeSize, kept?.rooted.count]).to.deep.equal([33, 1])
    const { provider: rpc, deployment, identity, evidence } = ward
    const files = await openBatchFiles(join(directory, 'gateway'))
    const bundle = await proveReading({ p, rpc, deployment, identity, files, evidence }, 5)
    const verified = await verifyBundle(p, bundle)
    expect([verified.index, verified.superRoot?.epoch]).to.deep.equal([5, 1])
    // The next head goes on, also after the aggregator was started again.
    await server.stop()
    await aggregator.stop()
    await open()
    expect((await run(50, 20_000)).find(each => each.event === 'rooted')).to.include({ sequence: 2, epoch: 2 })
  })

  it('is done without where it does not answer: the gateway anchors by itself, and skips no number', async () => {
    await server.stop()
    const events = await run(30, 300)
    expect(events.filter(each => each.event === 'rooted')).to.have.length(0)
    expect(events.find(each => each.event === 'anchored')).to.include({ treeSize: 33 })
    server = createAggregatorServer(aggregator, { host: '127.0.0.1', port: 0 })
    url = await server.start()
    // The head that it had signed is not signed again: the next one has the next number.
    expect((await run(50, 20_000)).find(each => each.event === 'rooted')).to.include({ sequence: 2 })
  })

  it('refuses heads that are not the gateway’s, of another network, or behind', async () => {
    const { identity, deployment, evidence } = ward
    const network = networkIdOfDeployment(deployment)
    const client = createAggregatorClient({ url, signal: new AbortController().signal })
    const head = (change: object) => ({
      ...{ network, gateway: identity.id, sequence: 9, treeSize: 90, root: random(32), previousRoot: random(32) },
      ...change
    })
    const submit = async (change: object, seed = identity.keys.signSeed, by = evidence): Promise<void> =>
      client.submit(signGatewayHead(p, head(change), seed), by)
    const stranger = await deriveGateway(p, random(32))
    const foreign = await signEvidence(stranger, deployment, Date.now())
    await expectCode('AGGREGATOR_REFUSED', () => submit({ network: random(32) }))
    await expectCode('AGGREGATOR_REFUSED', () => submit({}, stranger.keys.signSeed))
    await expectCode('AGGREGATOR_REFUSED', () => submit({}, stranger.keys.signSeed, foreign))
    await submit({})
    await expectCode('AGGREGATOR_REFUSED', () => submit({ sequence: 8 }))
    await expectCode('AGGREGATOR_REFUSED', () => submit({ sequence: 10, treeSize: 89 }))
    for (const body of [new Uint8Array(), new Uint8Array(3), new Uint8Array(40_000)]) {
      const { status } = await fetch(`${url}/v1/heads`, { method: 'POST', body })
      expect(status).to.be.oneOf([413, 422])
    }
    expect((await fetch(`${url}/v1/heads/zz/1`)).status).to.equal(404)
  })
})
