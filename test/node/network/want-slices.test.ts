import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import toBuffer from 'it-to-buffer'
import type { PeerId } from '@libp2p/interface'
import { cidOfDigest, RAW_CODEC } from '#core/record/cid.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { sliceWants, type PeerWants, type WantMessage } from '#node/network/want-slices.ts'
import { until, usePeers } from '#test/node/network/peer.ts'

const PEER = 'a' as unknown as PeerId
const want = (i: number, cancel?: boolean) => ({
  cid: Uint8Array.of(i >> 8, i & 255),
  ...(cancel == null ? {} : { cancel })
})
const numbersOf = ({ wantlist }: WantMessage): number[] =>
  (wantlist?.entries ?? []).map(({ cid }) => (cid[0] ?? 0) * 256 + (cid[1] ?? 0))

describe('wants of a peer', () => {
  let received: WantMessage[]
  let sent: PromiseWithResolvers<void>
  let isThere: boolean
  let wants: PeerWants

  beforeEach(() => {
    received = []
    sent = Promise.withResolvers()
    isThere = true
    const ledger = { sendQueue: { onIdle: async () => sent.promise } }
    wants = {
      receiveMessage: (_peer, message) => received.push(message),
      ledgerMap: { get: () => (isThere ? ledger : undefined) }
    }
    sliceWants(wants, { atOnce: 4, maxWaiting: 10 })
  })

  const ask = (...entries: ReturnType<typeof want>[]): void => wants.receiveMessage(PEER, { wantlist: { entries } })
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => want(from + i))
  /** What is on its way is sent. */
  const nextSent = async (): Promise<void> => {
    const before = received.length
    const { resolve } = sent
    sent = Promise.withResolvers()
    resolve()
    await until('the next slice', () => received.length > before)
  }

  it('are passed on as they come where they are few', () => {
    ask(...range(0, 4))
    ask(want(9))
    expect(received.map(numbersOf)).to.deep.equal([[0, 1, 2, 3], [9]])
  })

  it('are answered in slices, the next when the last is sent, and at most so many of them', async () => {
    ask(...range(0, 100))
    ask(want(200))
    expect(received.map(numbersOf)).to.deep.equal([[0, 1, 2, 3], []])
    await nextSent()
    expect(numbersOf(received[2] ?? {})).to.deep.equal([4, 5, 6, 7])
    await nextSent()
    await nextSent()
    expect(numbersOf(received[4] ?? {})).to.deep.equal([12, 13])
  })

  it('are forgotten where they are taken back, replaced, or the peer leaves', async () => {
    ask(...range(0, 10))
    ask(want(5, true), want(1, true))
    expect(numbersOf(received[1] ?? {})).to.deep.equal([5, 1])
    await nextSent()
    expect(numbersOf(received[2] ?? {})).to.deep.equal([4, 6, 7, 8])
    wants.receiveMessage(PEER, { wantlist: { entries: range(50, 52), full: true } })
    await nextSent()
    expect(numbersOf(received[4] ?? {})).to.deep.equal([50, 51])
    ask(...range(60, 80))
    isThere = false
    sent.resolve()
    await new Promise(resolve => setImmediate(resolve))
    ask(want(81))
    expect(numbersOf(received.at(-1) ?? {})).to.deep.equal([81])
  })
})

describe('wants of a real peer', () => {
  const peer = usePeers()

  it('are all answered, though they are many more than are read at once', async () => {
    const a = await peer()
    const blocks = Array.from({ length: 300 }, () => new Uint8Array(randomBytes(20_000)))
    const cids = blocks.map(bytes => cidOfDigest(RAW_CODEC, p.sha256(bytes)))
    for (const [i, cid] of cids.entries()) await a.blockstore.put(cid, blocks[i] ?? new Uint8Array())
    const b = await peer({ peers: [a.address] })
    await until('connected', () => b.host.libp2p.getPeers().length > 0)
    const { blockstore } = b.host.helia
    const got = await Promise.all(
      cids.map(async cid => toBuffer(blockstore.get(cid, { signal: AbortSignal.timeout(30_000) })))
    )
    expect(got.every((bytes, i) => Buffer.from(bytes).equals(blocks[i] ?? Buffer.of()))).to.equal(true)
  })
})
