import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { encodeManifest, registryIdOf } from '#core/firmware/manifest.ts'
import type { ListedRelease } from '#node/chain/chain-index.ts'
import { createReplicator, type Replicator } from '#node/firmware/replicate.ts'
import { createHaveService } from '#node/network/have.ts'
import { importFile } from '#node/network/import-file.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { log, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const registry = { chainId: 31337, registry: `0x${'11'.repeat(20)}` } as const
const network = registryIdOf(registry.chainId, registry.registry)
const BYTES = new Uint8Array(3_000_000).fill(7)
const SHA256 = new Uint8Array(createHash('sha256').update(BYTES).digest())

interface Published {
  readonly maker?: number
  readonly sequence?: number
  readonly sizeBytes?: number
  readonly sha256?: Uint8Array
}

function release(cid: CID, published: Published = {}): ListedRelease {
  const { maker = 1, sequence = 1, sizeBytes = BYTES.length, sha256 = SHA256 } = published
  const model = new Uint8Array(32).fill(maker)
  const counters = { sequence, version: '1', securityCounter: 0, pieceBytes: 2 ** 20 }
  const manifest = encodeManifest({ network, model, ...counters, sizeBytes, sha256, cid })
  const about = {
    model: toHex(model),
    manufacturer: toHex(model),
    imageSha256: toHex(sha256),
    manifest: toHex(manifest)
  }
  const status = { heldUntilS: 0, live: true, yanked: false, manifestDigest: toHex(model) }
  return { ...about, ...status, sequence, sizeBytes, securityCounter: 0 }
}

async function* toAsync<T>(items: readonly T[]): AsyncGenerator<T> {
  await Promise.resolve()
  yield* items
}

describe('keeping images', () => {
  const replicators: Replicator[] = []
  afterEach(async () => {
    for (const replicator of replicators.splice(0)) await replicator.stop()
  })
  // After the replicators: hooks run in the order of their registration.
  const open = usePeers()
  let releases: ListedRelease[]
  let maker: TestPeer
  let node: TestPeer
  let cid: CID

  beforeEach(async () => {
    maker = await open()
    node = await open({ peers: [maker.address] })
    const rate = createRateLimiter({ clock: Date.now }, { perSecond: 1000, burst: 1000 })
    await createHaveService({ ...maker, libp2p: maker.host.libp2p, log, rate }).start()
    ;({ cid } = await importFile(maker.host, [BYTES]))
  })

  function keep(maxTotalBytes = 1 << 24): Replicator {
    const init = { retryMs: 20, deadlineMs: 6000, maxTotalBytes }
    const replicator = createReplicator({ ...node, registry, log, releases: () => toAsync(releases) }, init)
    replicators.push(replicator)
    replicator.start()
    return replicator
  }

  /** A stranger's releases of images that nobody has. */
  const flood = (sizeBytes: number): ListedRelease[] =>
    Array.from({ length: 20 }, (_, i) => {
      const sha256 = new Uint8Array(
        createHash('sha256')
          .update(utf8(String(i)))
          .digest()
      )
      return release(CID.createV1(0x70, Digest.create(0x12, sha256)), {
        maker: 2,
        sequence: i + 100,
        sizeBytes,
        sha256
      })
    })

  it('goes on whatever a stranger publishes', async () => {
    releases = [release(cid)]
    const replicator = keep()
    await until('it is whole', () => replicator.status().images === 1)
    releases = [...flood(1 << 20), ...releases]
    await until('it looked again', () => replicator.status().missing === 20)
    expect(replicator.status().images).to.equal(1)
    expect(await node.blockstore.has(cid)).to.equal(true)
    releases = releases.map(each => (each.model === release(cid).model ? { ...each, yanked: true } : each))
    await until('it lets go', async () => !(await node.blockstore.has(cid)))
  })

  it('begins though a stranger asked for all the room before', async () => {
    releases = flood(1 << 20)
    const replicator = keep()
    await until('it looked', () => replicator.status().missing === 20)
    releases = [...releases, release(cid)]
    await until('it is whole', () => replicator.status().images === 1)
  })

  it('is not stopped by wrong claims of the same CID', async () => {
    const wrong = { maker: 2, sha256: new Uint8Array(32).fill(9) }
    releases = [release(cid, { ...wrong, sequence: 9 })]
    const replicator = keep()
    await until('the wrong claim is refuted', () => replicator.status().missing === 0)
    releases = [...releases, release(cid, { ...wrong, sequence: 10, sizeBytes: 5_000_000 }), release(cid)]
    await until('it is whole', () => replicator.status().images === 1)
  })

  it('ends at the room there is', async () => {
    const other = BYTES.slice().fill(8)
    const sha256 = new Uint8Array(createHash('sha256').update(other).digest())
    const second = await importFile(maker.host, [other])
    releases = [release(cid, { sequence: 2 }), release(second.cid, { sha256 })]
    const replicator = keep(5_000_000)
    await until('one is whole', () => replicator.status().images === 1)
    expect(replicator.status().missing).to.equal(1)
    expect(await node.blockstore.has(second.cid)).to.equal(false)
  })
})
