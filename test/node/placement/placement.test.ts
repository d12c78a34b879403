import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PlacingInit } from '#node/assembly/placing.ts'
import { until } from '#test/node/network/peer.ts'
import {
  blobOf,
  blocksOfBlob,
  openPlacingPeer,
  PATIENT,
  type Blob,
  type PlacingPeer
} from '#test/node/placement/network.ts'

const WAIT_MS = 120_000

describe('placement between peers', function () {
  this.timeout(300_000)
  const opened: { readonly one: PlacingPeer; readonly directory: string }[] = []

  afterEach(async () => {
    for (const { one } of opened) await one.stop()
    for (const { directory } of opened.splice(0)) await rm(directory, { recursive: true, force: true })
  })

  async function open(init: Partial<PlacingInit> = {}, directory?: string): Promise<PlacingPeer> {
    const dir = directory ?? (await mkdtemp(join(tmpdir(), 'salus-place-')))
    const addresses = opened.map(({ one }) => one.peer.address)
    const one = await openPlacingPeer(dir, addresses, init)
    opened.push({ one, directory: dir })
    return one
  }
  async function openMany(count: number, init: Partial<PlacingInit> = {}): Promise<PlacingPeer[]> {
    const peers: PlacingPeer[] = []
    for (let i = 0; i < count; i++) peers.push(await open(init))
    const knowsAll = ({ placing }: PlacingPeer): boolean => placing.members.table().peers.length === count
    await until('everyone knows everyone', () => peers.every(knowsAll), WAIT_MS)
    return peers
  }
  /** Hands a blob in at the first of some peers, then lets all of them know of it: who asks before waits some seconds to ask again. */
  const handIn = async (peers: readonly PlacingPeer[], blob: Blob): Promise<void> => {
    const [first, ...others] = peers
    await first?.name(blob.cid, blob.bytes.length)
    await first?.put(blob)
    for (const one of others) await one.name(blob.cid, blob.bytes.length)
  }
  const holdersAmong = async (peers: readonly PlacingPeer[], blob: Blob): Promise<string[]> => {
    const has = await Promise.all(peers.map(async one => one.has(blob)))
    return peers.filter((_, i) => has[i]).map(({ id }) => id)
  }
  const same = (a: readonly string[], b: readonly string[]): boolean => [...a].sort().join() === [...b].sort().join()

  it('brings blobs to those who should hold them, and drops them where they were handed in', async () => {
    const peers = await openMany(4)
    const [first] = peers
    const blobs = [blobOf(5_000), blobOf(200_000), blobOf(3 << 20)]
    for (const blob of blobs) {
      await handIn(peers, blob)
    }
    for (const blob of blobs) {
      const wanted = first?.placing.placement.holdersOf(blob.cid) ?? []
      await until('held where it should be', async () => same(await holdersAmong(peers, blob), wanted), WAIT_MS)
      expect(wanted).to.have.length(2)
      for (const one of peers) {
        if (wanted.includes(one.id)) continue
        await until('its blocks are gone', async () => {
          const left = await Promise.all(blocksOfBlob(blob).map(async cid => one.peer.blockstore.has(cid)))
          return !left.includes(true)
        })
      }
    }
  })

  it('makes the replica of a peer that died again, elsewhere, and goes back once it has returned', async () => {
    const peers = await openMany(4)
    const [first] = peers
    const blob = blobOf(100_000)
    await handIn(peers, blob)
    const wanted = first?.placing.placement.holdersOf(blob.cid) ?? []
    await until('held where it should be', async () => same(await holdersAmong(peers, blob), wanted), WAIT_MS)
    const dead = peers.find(({ id }) => id === wanted[0])
    const folder = opened.find(({ one }) => one === dead)?.directory ?? ''
    await dead?.stop()
    const others = peers.filter(one => one !== dead)
    await until('two others hold it', async () => (await holdersAmong(others, blob)).length === 2, WAIT_MS)
    const again = await open({}, folder)
    const all = [...others, again]
    await until('as before', async () => same(await holdersAmong(all, blob), wanted), WAIT_MS)
  })

  it('calls up the next where one of the first lies, or has lost what it should hold', async () => {
    const peers = await openMany(4)
    const [first] = peers
    const blob = blobOf(300_000)
    const wanted = first?.placing.placement.holdersOf(blob.cid) ?? []
    const liar = peers.find(({ id }) => id === wanted[0])
    const honest = peers.filter(one => one !== liar)
    // It pledges and answers, and never has the blob: no entry names it there.
    await handIn(honest, blob)
    await until('two honest peers hold it', async () => (await holdersAmong(honest, blob)).length >= 2, WAIT_MS)
    await until('they know of it', () => honest.some(one => one.placing.placement.status().missing === 0), WAIT_MS)
  })

  it('never drops the only copies while the first have no room', async () => {
    const peers = await openMany(3, { pledgedBytes: 1_000, patientBytes: 1_000 })
    const blob = blobOf(5_000)
    const wanted = peers[0]?.placing.placement.holdersOf(blob.cid) ?? []
    const extra = peers.find(({ id }) => !wanted.includes(id))
    await handIn(
      [...peers].sort(one => (one === extra ? -1 : 1)),
      blob
    )
    await until('they were asked', () => (extra?.placing.placement.status().missing ?? 0) > 0, WAIT_MS)
    await until('and refused', () => peers.some(one => one.placing.placement.status().refused > 0), WAIT_MS)
    expect(await extra?.has(blob)).to.equal(true)
  })

  it('keeps everything on a network of no more peers than replicas', async () => {
    const peers = await openMany(2)
    const blob = blobOf(9_000)
    await handIn(peers, blob)
    await until('both hold it', async () => (await holdersAmong(peers, blob)).length === 2, WAIT_MS)
  })

  it('counts a blob once and as large as it is, whatever entries say, and has room for others then', async () => {
    const [one] = await openMany(1, { pledgedBytes: 20_000, patientBytes: 20_000 })
    const blob = blobOf(9_000)
    const claimed = [1, 8_999, 9_001, 2 ** 30, 2 ** 40]
    for (const size of [9_000, ...claimed]) await one?.name(blob.cid, size)
    await one?.put(blob)
    const { placement } = one?.placing ?? expect.fail()
    await until('it is counted', () => {
      one?.placing.placement.nudge()
      return placement.status().heldBlobs === 1
    })
    expect(placement.status().heldBytes).to.equal(9_000)
    const next = blobOf(9_000)
    await one?.name(next.cid, 9_000)
    expect(placement.hasRoom({ patient: PATIENT, sizeBytes: 9_000 })).to.equal(true)
    await one?.put(next)
    await until('both are counted', () => {
      one?.placing.placement.nudge()
      return placement.status().heldBytes === 18_000
    })
    expect(placement.hasRoom({ patient: PATIENT, sizeBytes: 9_000 })).to.equal(false)
    expect(placement.keeps({ cid: blobOf(9_000).cid, sizeBytes: 9_000 }, PATIENT)).to.equal(false)
    expect(placement.keeps({ cid: blobOf(900).cid, sizeBytes: 900 }, PATIENT)).to.equal(true)
  })

  it('drops nothing on the word of peers that nobody vouches for', async () => {
    const peers = await openMany(4, { vouched: () => false })
    const blob = blobOf(5_000)
    await handIn(peers, blob)
    const wanted = peers[0]?.placing.placement.holdersOf(blob.cid) ?? []
    await until(
      'held where it should be',
      async () => {
        const holders = await holdersAmong(peers, blob)
        return wanted.every(id => holders.includes(id))
      },
      WAIT_MS
    )
    const [first] = peers
    const dropped = (): number => peers.reduce((sum, one) => sum + one.placing.placement.status().dropped, 0)
    const rounds = (): number => first?.placing.placement.status().rounds ?? 0
    const before = rounds()
    await until('asked again', () => rounds() > before + 3, WAIT_MS)
    expect([await first?.has(blob), dropped()]).to.deep.equal([true, 0])
  })
})
