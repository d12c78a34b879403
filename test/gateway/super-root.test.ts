import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Contract } from 'ethers'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import type { BatchAnchors } from '#core/abi/types/BatchAnchors.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { batchTree, decodeBatch, extendTree, type Batch } from '#core/batch/batch.ts'
import { decodeBundle, encodeBundle, makeBundle, type Bundle } from '#core/batch/bundle.ts'
import { signGatewayHead, type GatewayHead, type SignedGatewayHead } from '#core/batch/gateway-head.ts'
import { parseRecording } from '#core/batch/recording.ts'
import { buildSuperRoot, type SuperRootPath } from '#core/batch/super-root.ts'
import type { Tree } from '#core/batch/tree.ts'
import { verifyBundle } from '#core/batch/verify.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { proveLog, type RpcLog } from '#gateway/anchor-proof.ts'
import { openBatchFiles } from '#gateway/batch-files.ts'
import { createGateway } from '#gateway/gateway.ts'
import { chainPlaceOf, deriveGateway } from '#gateway/identity.ts'
import { createReplay } from '#gateway/replay.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { expectCode } from '#test/error-code.ts'
import { random } from '#test/gateway/fresh.ts'
import { devWallet, silent, startWard, type Ward } from '#test/gateway/ward.ts'

const SYNTHETIC = new URL('../../gateway/recordings/synthetic.csv', import.meta.url)

/** A gateway that an aggregator leaves out for a while: it anchors by itself in between. */
describe('a gateway under super-roots', function () {
  this.timeout(120_000)
  let ward: Ward
  let directory: string
  let batches: Batch[]
  let tree: Tree
  let anchors: BatchAnchors

  before(async () => {
    ward = await startWard()
    directory = await mkdtemp(join(tmpdir(), 'salus-super-root-'))
    const { node, identity, deployment, evidence, grant, provider } = ward
    const clock = (): number => Date.now()
    const recording = parseRecording(await readFile(SYNTHETIC))
    const source = createReplay({ clock }, { recording, device: 'monitor', speed: Infinity })
    const gateway = createGateway(
      { p, random, clock, log: silent, node, identity, deployment, evidence, sources: [source] },
      {
        dataDir: directory,
        grant,
        patientKeys: keyBundleDigest(ward.patient.keys.bundleBytes),
        batchSeconds: 60,
        anchorEvery: 3,
        exitAtEnd: true,
        keepBatches: 100,
        onEvent: () => undefined
      }
    )
    await gateway.start()
    await gateway.ended
    await gateway.stop()
    const files = await openBatchFiles(directory)
    const read = async (sequence: number): Promise<Batch> =>
      decodeBatch(p, await files.readBatch(sequence), identity.keys.bundle.sign)
    batches = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(read))
    tree = batchTree(p, batches[0]!)
    for (const batch of batches.slice(1)) extendTree(p, tree, batch)
    const aggregator = devWallet(3).connect(provider)
    anchors = new Contract(
      deployment.contracts.BatchAnchors.address,
      batchAnchorsAbi,
      aggregator
    ) as unknown as BatchAnchors
  })
  after(async () => {
    await ward.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const headAt = (batch: number, sequence: number, previous: number | null): GatewayHead => {
    const { treeTo: treeSize, root } = batches[batch]!.header
    const previousRoot = previous == null ? null : batches[previous]!.header.root
    const network = networkIdOfDeployment(ward.deployment)
    return { network, gateway: ward.identity.id, sequence, treeSize, root, previousRoot }
  }

  /** Anchors a head among those of others; gives the gateway's path and the proof of the super-root. */
  async function aggregate(
    epoch: number,
    own: SignedGatewayHead
  ): Promise<Pick<Bundle, 'anchor'> & { path: SuperRootPath }> {
    const others = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { id, keys } = await deriveGateway(p, random(32))
        const head = { ...headAt(0, 1, null), gateway: id, root: random(32) }
        return signGatewayHead(p, head, keys.signSeed)
      })
    )
    const { root, count, paths } = buildSuperRoot(p, [...others, own])
    const sent = await anchors.anchorGatewaysByAccount(epoch, count, root)
    const receipt = await sent.wait()
    const [log] = (await ward.provider.send('eth_getLogs', [
      { address: await anchors.getAddress(), blockHash: receipt?.blockHash }
    ])) as RpcLog[]
    const path = paths.find(({ signed }) => signed === own)!
    return { path, anchor: await proveLog(ward.provider, log!) }
  }

  function bundleOf(
    batch: number,
    anchoredSize: number,
    { path, anchor }: Awaited<ReturnType<typeof aggregate>>
  ): Uint8Array {
    const parts = {
      evidence: ward.evidence,
      chain: chainPlaceOf(ward.deployment),
      anchor,
      superRoot: path,
      anchoredSize
    }
    return makeBundle(p, tree, batches[batch]!, 7, parts)
  }

  it('has its readings proven by a path and the super-root’s receipt, also between two anchors of its own', async () => {
    const { signSeed } = ward.identity.keys
    const first = await aggregate(1, signGatewayHead(p, headAt(1, 1, null), signSeed))
    const second = await aggregate(2, signGatewayHead(p, headAt(6, 2, 1), signSeed))
    for (const primitives of [p, portablePrimitives]) {
      const verified = await verifyBundle(primitives, bundleOf(0, headAt(1, 1, null).treeSize, first))
      expect(verified.reading).to.deep.equal(batches[0]!.readings[7])
      expect(verified.superRoot).to.deep.include({ epoch: 1, count: 21, aggregator: fromHex(devWallet(3).address) })
      expect(verified.anchored.sequence).to.equal(1)
    }
    const later = bundleOf(5, headAt(6, 2, 1).treeSize, second)
    const { anchored, header } = await verifyBundle(p, later)
    expect([anchored.sequence, header.sequence]).to.deep.equal([2, 6])
  })

  it('is refused where the path, its signature, gateway, network or event is another', async () => {
    const { signSeed } = ward.identity.keys
    const anchored = await aggregate(3, signGatewayHead(p, headAt(1, 3, 6), signSeed))
    const bundle = decodeBundle(bundleOf(0, headAt(1, 3, 6).treeSize, anchored))
    const { superRoot } = bundle
    const refuse = async (code: string, change: Partial<Bundle>): Promise<void> =>
      expectCode(code, () => verifyBundle(p, encodeBundle({ ...bundle, ...change })))
    await refuse('BUNDLE_SUPER_ROOT', { superRoot: { ...superRoot!, index: superRoot!.index + 1 } })
    await refuse('BUNDLE_SUPER_ROOT', { superRoot: { ...superRoot!, path: superRoot!.path.slice(1) } })
    const signature = new Uint8Array(64)
    await refuse('BUNDLE_SUPER_ROOT', { superRoot: { ...superRoot!, signed: { ...superRoot!.signed, signature } } })
    await refuse('BUNDLE_EVENT', { superRoot: null })
    await refuse('BUNDLE_CONSISTENCY', { consistency: [] })

    const wrong: [string, Partial<GatewayHead>][] = [
      ['BUNDLE_EVENT', { gateway: random(32) }],
      ['BUNDLE_NETWORK', { network: random(32) }],
      ['BUNDLE_CONSISTENCY', { root: random(32) }]
    ]
    for (const [i, [code, change]] of wrong.entries()) {
      const head = { ...headAt(1, 4, 1), ...change }
      const other = await aggregate(4 + i, signGatewayHead(p, head, signSeed))
      await expectCode(code, () => verifyBundle(p, bundleOf(0, headAt(1, 4, 1).treeSize, other)))
    }
    // A path under an anchor of the gateway's own proves nothing either.
    const sent = (await ward.provider.send('eth_getLogs', [
      {
        address: await anchors.getAddress(),
        fromBlock: '0x0',
        topics: [null, toHex(ward.identity.id), `0x${'00'.repeat(31)}01`]
      }
    ])) as RpcLog[]
    await refuse('BUNDLE_EVENT', { anchor: await proveLog(ward.provider, sent.at(-1)!) })
  })
})
