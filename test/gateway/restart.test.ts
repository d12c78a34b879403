import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeError } from 'ethers'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { decodeBatch } from '#core/batch/batch.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { createProvider, type RpcSender } from '#node/chain/chain-rpc.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { fetchAnchor } from '#gateway/anchor-proof.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { createGateway, type Gateway } from '#gateway/gateway.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import { openLedger } from '#gateway/ledger.ts'
import { createReplay } from '#gateway/replay.ts'
import { expectCode } from '#test/error-code.ts'
import { random } from '#test/gateway/fresh.ts'
import { silent, startWard, type Ward } from '#test/gateway/ward.ts'

/** Blocks that the endpoint of these tests answers for at once. */
const ENDPOINT_BLOCKS = 3

describe('gateway that is started again', function () {
  this.timeout(120_000)
  let ward: Ward
  let directory: string
  /** Sizes of the tree that were anchored, rising. */
  const allSizes: number[] = []

  before(async () => {
    ward = await startWard()
    directory = await mkdtemp(join(tmpdir(), 'salus-restart-'))
  })
  after(async () => {
    await ward.stop()
    await rm(directory, { recursive: true, force: true })
  })

  /** Batches of 10 s, an anchor after every second one and at the end. */
  function makeGateway(seconds: number, events: GatewayEvent[]): Gateway {
    const { node, identity, deployment, evidence, grant, patient } = ward
    const clock = (): number => Date.now()
    const rows = Array.from({ length: seconds }, (_, i) => `${String(i)},${String(60 + (i % 7))}\n`)
    const recording = parseRecording(utf8(`Time [s],HR\n${rows.join('')}`))
    const source = createReplay({ clock }, { recording, device: 'monitor', speed: Infinity })
    return createGateway(
      { p, random, clock, log: silent, node, identity, deployment, evidence, sources: [source] },
      {
        dataDir: directory,
        grant,
        patientKeys: keyBundleDigest(patient.keys.bundleBytes),
        batchSeconds: 10,
        anchorEvery: 2,
        exitAtEnd: true,
        keepBatches: 100,
        onEvent: event => events.push(event)
      }
    )
  }

  /** Runs to the end; the sizes of the tree that were anchored. */
  async function run(seconds: number): Promise<number[]> {
    const events: GatewayEvent[] = []
    const gateway = makeGateway(seconds, events)
    await gateway.start()
    try {
      await gateway.ended
    } finally {
      await gateway.stop()
    }
    const sizes = events.flatMap(each => (each.event === 'anchored' ? each.treeSize : []))
    allSizes.push(...sizes)
    return sizes
  }

  it('anchors on, also if it ended between two anchors', async () => {
    expect((await run(30)).at(-1)).to.equal(33)
    expect((await run(70)).at(-1)).to.equal(77)
  })

  it('drops a plan to anchor what lies below its last anchor', async () => {
    const ledger = await openLedger(directory)
    const { header } = decodeBatch(
      p,
      await (await openBatchFiles(directory)).readBatch(2),
      ward.identity.keys.bundle.sign
    )
    const sequence = (ledger.state.anchored?.sequence ?? 0) + 1
    const anchor = { sequence, batch: 2, treeSize: header.treeTo, root: header.root }
    await ledger.record({ type: 'anchoring', anchor })
    await ledger.close()
    const sizes = await run(90)
    expect(sizes.at(-1)).to.equal(99)
    expect(Math.min(...sizes)).to.be.greaterThan(77)
  })

  it('is refused while it runs', async () => {
    const ledger = await openLedger(directory)
    await expectCode('GATEWAY_IN_USE', () => run(90))
    await ledger.close()
  })

  it('finds its anchors at an endpoint that gives the logs of few blocks at a time', async () => {
    const { provider, deployment, identity } = ward
    const refuse = (): never => {
      throw makeError('query exceeds max block range', 'UNKNOWN_ERROR')
    }
    const rpc: RpcSender = {
      send: async (method, params) => {
        if (method === 'eth_getLogs') {
          const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock?: string }
          if (!(Number(toBlock) - Number(fromBlock) < ENDPOINT_BLOCKS)) refuse()
        }
        return provider.send(method, params) as Promise<unknown>
      }
    }
    const { anchored } = await fetchAnchor(rpc, deployment, identity.id, 34)
    expect(anchored.treeSize).to.equal(allSizes.find(size => size >= 34))
    await expectCode('PROOF_NO_ANCHOR', () => fetchAnchor(rpc, deployment, identity.id, 100))

    const limited = createProvider(ward.rpcUrl, deployment.chainId)
    const getLogs = limited.getLogs.bind(limited)
    limited.getLogs = async filter => {
      const { fromBlock, toBlock } = { toBlock: Infinity, ...filter } as Record<string, unknown>
      return Number(toBlock) - Number(fromBlock) < ENDPOINT_BLOCKS ? getLogs(filter) : refuse()
    }
    const request = (root: string): Parameters<typeof isAlreadyApplied>[1] => ({
      contract: 'BatchAnchors',
      method: 'anchor',
      args: [toHex(identity.id), BigInt(anchored.sequence), BigInt(anchored.treeSize), root],
      errorName: 'AnchorOutOfSequence',
      errorArgs: []
    })
    const connected = { provider: limited, deployment }
    expect(await isAlreadyApplied(connected, request(toHex(anchored.root)))).to.equal(true)
    expect(await isAlreadyApplied(connected, request(toHex(random(32))))).to.equal(false)
    limited.destroy()
  })
})
