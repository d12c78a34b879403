import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { openEntry } from '#core/record/seal-entry.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { batchTree, BATCH_TYPE, decodeBatch, extendTree, type Batch } from '#core/batch/batch.ts'
import { makeBundle } from '#core/batch/bundle.ts'
import { requireNext } from '#core/batch/chain.ts'
import { parseRecording, type Recording } from '#core/batch/recording.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { SalusError } from '#core/error.ts'
import { fetchAnchor } from '#gateway/anchor-proof.ts'
import { chainPlaceOf, deriveGateway } from '#gateway/identity.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { createGateway, type Gateway, type GatewayEvent, type GatewayInit } from '#gateway/gateway.ts'
import { proveReading } from '#gateway/prove.ts'
import { createReplay } from '#gateway/replay.ts'
import { createSealingKeys } from '#gateway/sealing-keys.ts'
import { expectCode } from '#test/error-code.ts'
import { random } from '#test/gateway/fresh.ts'
import { silent, startWard, type Ward } from '#test/gateway/ward.ts'

const SYNTHETIC = new URL('../../gateway/recordings/synthetic.csv', import.meta.url)

describe('gateway', function () {
  this.timeout(120_000)
  let ward: Ward
  let directory: string
  let recording: Recording

  before(async () => {
    ward = await startWard()
    recording = parseRecording(await readFile(SYNTHETIC))
  })
  after(async () => {
    await ward.stop()
  })
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-gateway-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  function makeGateway(init: Partial<GatewayInit>): { gateway: Gateway; events: GatewayEvent[] } {
    const events: GatewayEvent[] = []
    const { node, identity, deployment, evidence, grant } = ward
    const clock = (): number => Date.now()
    const gateway = createGateway(
      {
        p,
        random,
        clock,
        log: silent,
        node,
        identity,
        deployment,
        evidence,
        source: createReplay({ clock }, { recording, device: 'monitor', speed: Infinity })
      },
      {
        dataDir: directory,
        grant,
        batchSeconds: 60,
        anchorEvery: 3,
        exitAtEnd: true,
        keepBatches: 100,
        onEvent: event => events.push(event),
        ...init
      }
    )
    return { gateway, events }
  }

  async function run(init: Partial<GatewayInit> = {}): Promise<GatewayEvent[]> {
    const { gateway, events } = makeGateway(init)
    await gateway.start()
    try {
      await gateway.ended
    } finally {
      await gateway.stop()
    }
    return events
  }

  /** Generation of the key that a message's entry is sealed under. */
  function generationOf(bytes: Uint8Array): number {
    const message = decodeMessage(bytes, networkIdOfDeployment(ward.deployment))
    return message.kind === 'entry' ? decodeEntry(message.header).header.generation : 0
  }

  /** Opens what the node holds, as the patient does. */
  function openAll(): Batch[] {
    const network = networkIdOfDeployment(ward.deployment)
    return ward.node.messages.map(bytes => {
      const message = decodeMessage(bytes, network)
      if (message.kind !== 'entry') throw new Error('not an entry')
      const { header } = decodeEntry(message.header)
      const generation = ward.patient.state.generations.vitals.find(each => each.number === header.generation)
      const { content } = openEntry(p, {
        headerBytes: message.header,
        slotBytes: message.slot,
        blob: message.blob ?? ward.node.blobs.get(header.blob.toString())!,
        leafKey: leafOf(p, generation!.key, header.day),
        tag: header.tag
      })
      expect(content.type).to.equal(BATCH_TYPE)
      return decodeBatch(p, content.body, ward.identity.keys.bundle.sign, {
        network,
        patient: ward.patient.state.patient
      })
    })
  }

  it('carries every reading of a recording to the patient, sealed, in order, and anchors it', async () => {
    const events = await run()
    const batches = openAll()
    let previous: Uint8Array | null = null
    for (const { signed } of batches) {
      requireNext(p, previous, signed.bytes)
      previous = signed.bytes
    }
    expect(batches.map(({ header }) => header.count)).to.deep.equal(Array.from({ length: 8 }, () => 240))
    const pulses = batches.flatMap(({ readings }) => readings.filter(r => r.stream.mdc === 147842).map(r => r.mantissa))
    expect(pulses).to.deep.equal(recording.rows.map(({ values }) => values[0]))
    expect(events.at(-1)).to.deep.equal({ event: 'end' })

    const anchored = events.filter(each => each.event === 'anchored')
    expect(anchored.at(-1)?.treeSize).to.equal(batches.at(-1)?.header.treeTo)

    // Any reading can be proven, also one whose batch was anchored together with later ones.
    const files = await openBatchFiles(directory)
    const { provider: rpc, deployment, identity, evidence } = ward
    for (const index of [1, 240, 300, 8 * 241 - 1]) {
      const bundle = await proveReading({ p, rpc, deployment, identity, files, evidence }, index)
      const verified = await verifyBundle(p, bundle)
      expect(verified.index).to.equal(index)
      const { hash } = (await rpc.getBlock(verified.block.number)) ?? {}
      const confirmed = await verifyBundle(p, bundle, { blockHash: fromHex(hash ?? '') })
      expect(confirmed.blockConfirmed).to.equal(true)
      expect(toHex(verified.header.patient)).to.equal(toHex(ward.patient.state.patient))
    }
    // So can a reader who has nothing but the opened entries and the chain.
    const { anchored: first, proof } = await fetchAnchor(rpc, deployment, identity.id, batches[1]!.header.treeTo)
    const tree = batchTree(p, batches[1]!)
    extendTree(p, tree, batches[2]!)
    const message = decodeMessage(ward.node.messages[1]!, networkIdOfDeployment(deployment))
    const sent = message.kind === 'entry' ? message.evidence : new Uint8Array()
    const chain = chainPlaceOf(deployment)
    const parts = { evidence: sent, chain, anchor: proof, anchoredSize: first.treeSize }
    const verified = await verifyBundle(p, makeBundle(p, tree, batches[1]!, 7, parts))
    expect(verified.reading).to.deep.equal(batches[1]!.readings[7])

    const opening = { p, rpc, deployment, identity, files, evidence }
    await expectCode('BUNDLE_POSITION', () => proveReading(opening, 0))
    await expectCode('GATEWAY_BATCH_GONE', () => proveReading(opening, 1_000_000))
  })

  it('ends rather than anchor beside what the chain already has', async () => {
    await expectCode('GATEWAY_ROLLED_BACK', async () => run({ batchSeconds: 50 }))
  })

  it('seals again under the newest keys when the node refuses a retired tag', async () => {
    const { node } = ward
    node.messages.length = 0
    await ward.replaceGeneration()
    // The gateway finds the old capsule first, as if the node had not heard of the new one yet.
    const newest = node.capsules.splice(1)
    node.refusalOf = bytes => {
      if (generationOf(bytes) > 1) return null
      if (node.capsules.length === 1) node.capsules.push(...newest)
      return 'ENTRY_RETIRED'
    }
    const { gateway } = makeGateway({
      exitAtEnd: false,
      anchorEvery: 100,
      onEvent: event => {
        if (event.event === 'acknowledged' && event.sequence === 8) void gateway.stop()
      }
    })
    await gateway.start()
    await gateway.ended
    await gateway.stop()
    expect(node.messages.map(generationOf)).to.deep.equal(Array.from({ length: 8 }, () => 2))
    expect(openAll().map(({ header }) => header.sequence)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('refuses keys of a grant that come from someone else than before', async () => {
    const { clock, node, identity } = { clock: () => Date.now(), ...ward }
    const keys = createSealingKeys(
      { p, clock, node, identity },
      {
        network: networkIdOfDeployment(ward.deployment),
        grant: ward.grant,
        onPatient: async () => {
          await Promise.resolve()
          throw new SalusError('GATEWAY_PATIENT', 'not the patient')
        }
      }
    )
    await expectCode('GATEWAY_PATIENT', () => keys.today())
    const other = { network: networkIdOfDeployment(ward.deployment), grant: new Uint8Array(32) }
    const onPatient = async (): Promise<void> => Promise.resolve()
    const wrong = createSealingKeys({ p, clock, node, identity }, { ...other, onPatient })
    await expectCode('GATEWAY_CAPSULE', () => wrong.today())
    const stranger = await deriveGateway(p, random(32))
    const sealed = createSealingKeys({ p, clock, node, identity: stranger }, { ...other, grant: ward.grant, onPatient })
    await expectCode('CAPSULE_RECIPIENT', () => sealed.today())
  })
})
