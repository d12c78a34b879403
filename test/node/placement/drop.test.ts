import { expect } from 'chai'
import { blobBlocks, blobCid } from '#core/record/blob-cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { pin } from '#node/network/import-file.ts'
import { createDropper } from '#node/placement/drop.ts'
import { createLeases } from '#node/placement/leases.ts'
import { isWhole } from '#node/placement/stored-blob.ts'
import { openTable } from '#node/store/database.ts'
import { log, usePeers, type TestPeer } from '#test/node/network/peer.ts'
import { blobOf, type Blob } from '#test/node/placement/network.ts'

const held = { forget: async () => Promise.resolve() }

describe('dropping blobs', () => {
  const open = usePeers()
  let peer: TestPeer
  /** CIDs that entries name. */
  let named: Set<string>
  const dropper = (startedMs = 10) => {
    let elapsed = 0
    const leases = createLeases(() => elapsed, startedMs)
    elapsed = startedMs + 1
    const largestSize = async (cid: { toString(): string }): Promise<number | undefined> =>
      Promise.resolve(named.has(cid.toString()) ? 1 : undefined)
    const { db, blockstore, host } = peer
    return createDropper({ db, blockstore, helia: host.helia, leases, held, log, index: { largestSize } })
  }
  async function put({ cid, bytes }: Blob): Promise<void> {
    for (const block of blobBlocks(p, bytes)) await peer.blockstore.put(block.cid, block.bytes)
    await pin(peer.host.helia, cid)
  }
  const has = async ({ cid, bytes }: Blob): Promise<boolean> => isWhole(peer.blockstore, cid, bytes.length)

  beforeEach(async () => {
    peer = await open({})
    named = new Set()
  })

  it('takes a blob away with all its blocks and its pin', async () => {
    const blob = blobOf(3 << 20)
    await put(blob)
    expect(await dropper().drop(blob.cid, blob.bytes.length)).to.equal(true)
    for (const { cid } of blobBlocks(p, blob.bytes)) expect(await peer.blockstore.has(cid)).to.equal(false)
    expect(await peer.host.helia.pins.isPinned(blob.cid)).to.equal(false)
  })

  it('leaves blocks that another pinned tree, or an entry, needs', async () => {
    const blob = blobOf(3 << 20)
    const larger = Buffer.concat([blob.bytes.subarray(0, 1 << 20), blobOf(2 << 20).bytes])
    const other = { cid: blobCid(p, larger), bytes: larger }
    await put(blob)
    await put(other)
    const leaves = [...blobBlocks(p, blob.bytes)]
    const second = leaves[1]?.cid
    named.add(String(second))
    await dropper().drop(blob.cid, blob.bytes.length)
    expect(await has(other)).to.equal(true)
    expect(second != null && (await peer.blockstore.has(second))).to.equal(true)
    expect(await has(blob)).to.equal(false)
  })

  it('finishes after a crash what was half dropped, and keeps what was still whole', async () => {
    const [half, whole] = [blobOf(3 << 20), blobOf(2 << 20)]
    await put(half)
    await put(whole)
    const dropping = openTable(peer.db, 'dropping')
    for (const { cid, bytes } of [half, whole]) {
      await dropping.put(cid.toString(), new TextEncoder().encode(String(bytes.length)))
    }
    const unpinning = peer.host.helia.pins.rm(half.cid)
    while ((await unpinning.next()).done !== true);
    const [first] = blobBlocks(p, half.bytes)
    if (first != null) await peer.blockstore.delete(first.cid)
    await dropper().start()
    for (const { cid } of blobBlocks(p, half.bytes)) expect(await peer.blockstore.has(cid)).to.equal(false)
    expect(await has(whole)).to.equal(true)
    expect(await dropping.keys().all()).to.deep.equal([])
  })

  it('drops nothing that was promised', async () => {
    const blob = blobOf(1_000)
    await put(blob)
    const leases = createLeases(() => 0, 10)
    const { db, blockstore, host } = peer
    const index = { largestSize: async () => Promise.resolve(undefined) }
    const one = createDropper({ db, blockstore, helia: host.helia, leases, held, log, index })
    expect(await one.drop(blob.cid, 1_000)).to.equal(false)
    expect(await has(blob)).to.equal(true)
  })
})
