import { expect } from 'chai'
import { openAcceptIndex, type AcceptIndex } from '#node/assembly/accept-index.ts'
import { createWantRounds } from '#node/assembly/want-rounds.ts'
import { createHaveService } from '#node/network/have.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { log, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'
import { blobOf, PATIENT, type Blob } from '#test/node/placement/network.ts'

describe('asking peers for what is wanted', () => {
  const open = usePeers()

  /** A peer that tells what it has. */
  async function teller(): Promise<TestPeer> {
    const peer = await open()
    const rate = createRateLimiter({ clock: Date.now }, { perSecond: 100, burst: 100 })
    const { bans, blockstore, host } = peer
    await createHaveService({ libp2p: host.libp2p, bans, log, rate, blockstore }).start()
    return peer
  }

  /** Wanted blobs that were tried so often that the next try is an hour away. */
  async function wantLate(index: AcceptIndex, blobs: readonly Blob[], nowMs: number): Promise<void> {
    for (const { cid, bytes } of blobs)
      await index.want({ cid: cid.toString(), sizeBytes: bytes.length, patient: PATIENT })
    for (const want of await index.wants.page(undefined, 1_000))
      await index.wants.postpone({ ...want, tries: 12 }, nowMs)
  }

  it('has a blob fetched at once that a peer brings along, and leaves the others to their time', async () => {
    const peer = await open()
    const index = await openAcceptIndex(peer.db)
    const blobs = Array.from({ length: 300 }, (_, i) => blobOf(10 + i))
    const nowMs = Date.now()
    await wantLate(index, blobs, nowMs)
    expect(await index.wants.due(nowMs, 999)).to.deep.equal([])
    let nudges = 0
    const { libp2p } = peer.host
    const rounds = createWantRounds({ libp2p, wants: index.wants, nudge: () => nudges++, log }, { restMs: 1 })
    rounds.start()
    try {
      const other = await teller()
      const [brought] = blobs
      if (brought == null) throw new Error('a blob')
      await other.blockstore.put(brought.cid, brought.bytes)
      await libp2p.dial(other.host.libp2p.getMultiaddrs())
      await until('it is asked', () => nudges > 0)
      const due = await index.wants.due(nowMs, 999)
      expect(due.map(({ cid, tries }) => [cid, tries])).to.deep.equal([[brought.cid.toString(), 13]])
    } finally {
      await rounds.stop()
    }
  })

  it('asks those who are there again after a while', async () => {
    const peer = await open()
    const index = await openAcceptIndex(peer.db)
    const { libp2p } = peer.host
    const other = await teller()
    await libp2p.dial(other.host.libp2p.getMultiaddrs())
    let nudges = 0
    const init = { everyMs: 20, restMs: 1 }
    const rounds = createWantRounds({ libp2p, wants: index.wants, nudge: () => nudges++, log }, init)
    rounds.start()
    try {
      const blob = blobOf(40)
      await wantLate(index, [blob], Date.now())
      await other.blockstore.put(blob.cid, blob.bytes)
      await until('it is asked', () => nudges > 0)
    } finally {
      await rounds.stop()
    }
  })
})
