import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { capsuleOf } from '#core/agent/patient-capsule.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { decodeCapsule, openCapsule, sealCapsule, type CapsuleHeader } from '#core/grant/capsule.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { decodeMessage } from '#core/network/envelope.ts'
import { openEntry } from '#core/record/seal-entry.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { coverOf, leafOf } from '#core/record/day-tree.ts'
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
import { createGateway, type Gateway, type GatewayInit } from '#gateway/gateway.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import { proveReading } from '#gateway/prove.ts'
import { createReplay } from '#gateway/replay.ts'
import { openLedger } from '#gateway/ledger.ts'
import { createSealingKeys, type SealingKeys, type SealingKeysInit } from '#gateway/sealing-keys.ts'
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
        sources: [createReplay({ clock }, { recording, device: 'monitor', speed: Infinity })]
      },
      {
        dataDir: directory,
        grant,
        patientKeys: pinOf(ward.patient.keys),
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

  describe('the keys it seals with', () => {
    const onPatient = async (): Promise<void> => Promise.resolve()
    const clock = (): number => Date.now()

    function keysFrom(init: Partial<SealingKeysInit> = {}, identity = ward.identity): SealingKeys {
      const { node, deployment, grant } = ward
      const network = networkIdOfDeployment(deployment)
      const contract = fromHex(deployment.contracts.AccessGrants.address, 20)
      const pinned = { network, contract, grant, patientKeys: pinOf(ward.patient.keys), onPatient }
      return createSealingKeys({ p, clock, node, identity }, { ...pinned, ...init })
    }

    /** A capsule with everything right, sealed to the gateway by anyone, and what differs. */
    async function capsuleBy(keys: AgentKeys, differs: Partial<CapsuleHeader> = {}): Promise<Uint8Array> {
      const { node, identity } = ward
      const known = decodeCapsule(node.capsules.at(-1)!)
      const { document } = await openCapsule(known, identity.keys)
      const cover = coverOf(p, random(32), 0, 65_535)
      const content = { document, keys: [{ compartment: 'vitals' as const, tag: random(16), generation: 99, cover }] }
      const header = { ...known, revision: known.revision + 1, ...differs }
      return sealCapsule(p, random, { header, to: identity.keys.bundle.kem[0]!, content, patientKeys: keys })
    }

    /** Runs with another capsule as the newest that the node shows. */
    async function shown(capsule: Uint8Array, attempt: () => Promise<unknown>): Promise<void> {
      ward.node.capsules.push(capsule)
      try {
        await attempt()
      } finally {
        ward.node.capsules.pop()
      }
    }

    it('are none that another than the patient sealed, whatever the node shows first', async () => {
      const stranger = await deriveAgentKeys(p, random(32))
      await shown(await capsuleBy(stranger), () => expectCode('GATEWAY_PATIENT_KEYS', () => keysFrom().today()))
      // The patient's bundle beside a signature of someone else.
      const borrowed = { signSeed: stranger.signSeed, bundleBytes: ward.patient.keys.bundleBytes } as AgentKeys
      await shown(await capsuleBy(borrowed), () => expectCode('GATEWAY_CAPSULE', () => keysFrom().today()))
    })

    it('are of its own grant, address, contract and network', async () => {
      const { keys } = ward.patient
      await expectCode('GATEWAY_CAPSULE', () => keysFrom({ grant: new Uint8Array(32) }).today())
      await expectCode('CAPSULE_NETWORK', () => keysFrom({ network: new Uint8Array(32) }).today())
      const elsewhere = await capsuleBy(keys, { contract: random(20) })
      await shown(elsewhere, () => expectCode('CAPSULE_CONTRACT', () => keysFrom().today()))
      const another = await capsuleBy(keys, { grantee: random(20) })
      await shown(another, () => expectCode('CAPSULE_ADDRESS', () => keysFrom().today()))
      const stranger = await deriveGateway(p, random(32))
      const atItsAddress = { ...stranger, signer: ward.identity.signer }
      await expectCode('CAPSULE_RECIPIENT', () => keysFrom({}, atItsAddress).today())
      const failing = { onPatient: () => Promise.reject(new SalusError('GATEWAY_PATIENT', 'another patient')) }
      await expectCode('GATEWAY_PATIENT', () => keysFrom(failing).today())
    })

    it('come from the patient’s new keys once it is started with their digest', async () => {
      const renewed = await deriveAgentKeys(p, random(32))
      const { node, patient, deployment, grant } = ward
      const given = patient.state.grants.find(({ grantId }) => toHex(grantId) === toHex(grant))!
      const reissued = { ...given, capsuleRevision: given.capsuleRevision + 1 }
      const capsule = await capsuleOf(p, random, { state: patient.state, keys: renewed, target: deployment }, reissued)
      node.refusalOf = () => null
      await publishUntil(3, {})
      await shown(capsule, async () => {
        await expectCode('GATEWAY_PATIENT_KEYS', () => keysFrom().today())
        await publishUntil(8, { patientKeys: pinOf(renewed) })
      })
      const ledger = await openLedger(directory)
      expect(ledger.state.patient).to.deep.equal({ id: patient.state.patient, keyBundle: pinOf(renewed) })
      await ledger.close()
    })

    async function publishUntil(sequence: number, init: Partial<GatewayInit>): Promise<void> {
      const { gateway } = makeGateway({
        ...init,
        exitAtEnd: false,
        anchorEvery: 100,
        onEvent: event => {
          if (event.event === 'acknowledged' && event.sequence === sequence) void gateway.stop()
        }
      })
      await gateway.start()
      await gateway.ended
      await gateway.stop()
    }
  })
})

/** What the patient tells whoever runs the gateway. */
function pinOf({ bundleBytes }: AgentKeys): Uint8Array {
  return keyBundleDigest(bundleBytes)
}
