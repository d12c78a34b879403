import { fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Libp2p, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { blockHeader, decodeRangeRequest, frameRangeRequest } from '#core/network/range.ts'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { importFile } from '#node/network/import-file.ts'
import { RANGE_PROTOCOL } from '#node/network/range-serve.ts'
import { expectCode } from '#test/error-code.ts'
import { openPeer, plainPeer, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const MIB = 1 << 20
const digestOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** What a peer fetches. */
async function fetchAll({ exchange }: TestPeer, cid: CID): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const options = { maxBytes: 64 * MIB, signal: AbortSignal.timeout(15_000) }
  for await (const bytes of exchange.fetch(cid, options)) parts.push(bytes)
  return Buffer.concat(parts)
}

/** Bytes of all blocks on a peer's disk. */
async function heldBytes({ blockstore }: TestPeer): Promise<number> {
  let held = 0
  for await (const { bytes } of blockstore.getAll()) for await (const chunk of bytes) held += chunk.length
  return held
}

/** Waits until a peer knows that each of the others speaks the protocol. */
async function knows(peer: TestPeer, others: readonly { readonly peerId: Libp2p['peerId'] }[]): Promise<void> {
  const { peerStore } = peer.host.libp2p
  await until('it knows who speaks the protocol', async () => {
    const known = await Promise.all(others.map(async ({ peerId }) => peerStore.get(peerId).catch(() => undefined)))
    return known.every(other => other?.protocols.includes(RANGE_PROTOCOL) === true)
  })
}

describe('range exchange', () => {
  const peer = usePeers()
  const strangers: Libp2p[] = []

  afterEach(async () => {
    for (const stranger of strangers.splice(0)) await stranger.stop()
  })

  /** Some peers that hold a file. */
  async function holdersOf(content: Uint8Array, count: number): Promise<{ cid: CID; holders: TestPeer[] }> {
    const holders = await Promise.all(Array.from({ length: count }, async () => peer()))
    const files = await Promise.all(holders.map(async ({ host }) => importFile(host, [content])))
    return { cid: files[0]!.cid, holders }
  }

  /** A peer that is not of this project and answers the protocol as it is told. */
  async function stranger(answer: (stream: Stream, digests: Uint8Array[]) => void): Promise<Libp2p> {
    const made = await plainPeer(['/ip4/127.0.0.1/tcp/0'])
    strangers.push(made)
    await made.handle(RANGE_PROTOCOL, async stream => {
      const frames = lpStream(stream)
      for (;;) {
        const request = await frames.read().catch(() => undefined)
        if (request == null) return
        answer(stream, decodeRangeRequest(request.subarray()))
      }
    })
    return made
  }

  const addressOf = (libp2p: Libp2p): string => libp2p.getMultiaddrs()[0]!.toString()

  it('fetches from several holders at once, no block twice', async () => {
    const content = randomBytes(24 * MIB + 77)
    const { cid, holders } = await holdersOf(content, 4)
    const reader = await peer({ peers: holders.map(({ address }) => address) })
    await knows(
      reader,
      holders.map(({ host }) => host.libp2p)
    )
    expect((await fetchAll(reader, cid)).equals(content)).to.equal(true)
    const { receivedBytes, wastedBytes, fallbackBlocks } = reader.exchange.counts()
    const sent = holders.map(({ exchange }) => exchange.counts().sentBytes)
    expect(sent.reduce((sum, bytes) => sum + bytes)).to.equal(receivedBytes)
    expect(receivedBytes).to.equal(await heldBytes(reader))
    expect({ wastedBytes, fallbackBlocks }).to.deep.equal({ wastedBytes: 0, fallbackBlocks: 0 })
    expect(sent.filter(bytes => bytes > 0).length).to.be.above(1)
  })

  it('cuts off a liar at its first wrong block and stores nothing of it', async () => {
    const content = randomBytes(8 * MIB)
    const { cid, holders } = await holdersOf(content, 1)
    const wrong = randomBytes(MIB)
    const liar = await stranger((stream, digests) => {
      for (const digest of digests) {
        const isRoot = Buffer.from(digest).equals(cid.multihash.digest)
        stream.send(blockHeader(isRoot ? undefined : wrong.length))
        if (!isRoot) stream.send(wrong)
      }
    })
    const reader = await peer({ peers: [holders[0]!.address, addressOf(liar)] })
    await knows(reader, [liar, holders[0]!.host.libp2p])
    expect((await fetchAll(reader, cid)).equals(content)).to.equal(true)
    expect(reader.bans.isBanned(liar.peerId.toString())).to.equal(true)
    expect(reader.bans.isBanned(holders[0]!.host.peerId.toString())).to.equal(false)
    expect(await reader.blockstore.has(cidOfDigest(RAW_CODEC, digestOf(wrong)))).to.equal(false)
    expect(reader.exchange.counts().wastedBytes).to.be.at.least(MIB)
  })

  it('cuts off who sends a block above the limit, or what nobody asked for', async () => {
    const { cid } = await holdersOf(randomBytes(10), 1)
    for (const sent of [blockHeader(3 * MIB), new Uint8Array(64)]) {
      const liar = await stranger(stream => {
        stream.send(sent)
      })
      const reader = await peer({ peers: [addressOf(liar)] })
      await knows(reader, [liar])
      const options = { maxBytes: MIB, deadlineMs: 50, tries: 1 }
      await expectCode('FETCH_NO_BLOCK', () => reader.exchange.fetch(cid, options).next())
      await until('banned', () => reader.bans.isBanned(liar.peerId.toString()))
    }
  })

  it('gives the work of a holder that does not send to another, and leaves it unbanned', async () => {
    const content = randomBytes(6 * MIB)
    const { cid, holders } = await holdersOf(content, 1)
    const silent = await stranger(() => undefined)
    const reader = await peer({ peers: [holders[0]!.address, addressOf(silent)] })
    await knows(reader, [silent, holders[0]!.host.libp2p])
    expect((await fetchAll(reader, cid)).equals(content)).to.equal(true)
    expect(reader.bans.isBanned(silent.peerId.toString())).to.equal(false)
    expect(reader.exchange.counts()).to.include({ wastedBytes: 0, fallbackBlocks: 0 })
  })

  it('fetches by bitswap from a peer that does not speak the protocol', async () => {
    const content = randomBytes(3 * MIB)
    const { cid, holders } = await holdersOf(content, 1)
    await holders[0]!.exchange.stop()
    const reader = await peer({ peers: [holders[0]!.address] })
    await until('connected', () => reader.host.libp2p.getPeers().length > 0)
    expect((await fetchAll(reader, cid)).equals(content)).to.equal(true)
    expect(reader.exchange.counts()).to.deep.equal({
      receivedBytes: 0,
      wastedBytes: 0,
      fallbackBlocks: 4,
      sentBytes: 0
    })
  })

  it('does not fetch again what was on the disk when it was killed', async () => {
    const content = randomBytes(12 * MIB)
    const { cid, holders } = await holdersOf(content, 1)
    const folder = await mkdtemp(join(tmpdir(), 'salus-peer-'))
    const args = [folder, holders[0]!.address, cid.toString(), '5']
    const child = fork(new URL('./fetch-process.ts', import.meta.url), args)
    try {
      for (let parts = 0; parts < 5;) [parts] = (await once(child, 'message')) as [number]
      child.kill('SIGKILL')
      await once(child, 'exit')
      const again = await openPeer(folder, { peers: [holders[0]!.address] })
      const before = await heldBytes(again)
      expect(before).to.be.at.least(5 * MIB)
      expect((await fetchAll(again, cid)).equals(content)).to.equal(true)
      expect(before + again.exchange.counts().receivedBytes).to.equal(await heldBytes(again))
      await again.stop()
    } finally {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true })
    }
  })

  it('ends with the disk’s refusal, blames nobody for it and goes on when there is room', async () => {
    const content = randomBytes(3 * MIB)
    const { cid, holders } = await holdersOf(content, 1)
    const reader = await peer({ peers: [holders[0]!.address] })
    await knows(reader, [holders[0]!.host.libp2p])
    const put = reader.blockstore.put.bind(reader.blockstore)
    let puts = 0
    reader.blockstore.put = async (name, bytes) => {
      if (++puts > 2) throw new SalusError('STORE_WRITE_FAILED', 'The disk is full.')
      return put(name, bytes)
    }
    await expectCode('STORE_WRITE_FAILED', async () => fetchAll(reader, cid))
    expect(reader.bans.isBanned(holders[0]!.host.peerId.toString())).to.equal(false)
    reader.blockstore.put = put
    expect((await fetchAll(reader, cid)).equals(content)).to.equal(true)
  })

  it('ends what is under way when its reader does', async () => {
    const { cid, holders } = await holdersOf(randomBytes(8 * MIB), 1)
    const reader = await peer({ peers: [holders[0]!.address] })
    await knows(reader, [holders[0]!.host.libp2p])
    const file = reader.exchange.fetch(cid, { maxBytes: 64 * MIB })
    await file.next()
    await file.return(undefined)
    const open = (): number =>
      reader.host.libp2p.getConnections().flatMap(({ streams }) => streams.filter(s => s.protocol === RANGE_PROTOCOL))
        .length
    await until('the stream is gone', () => open() === 0)
  })
})

describe('serving blocks', () => {
  const peer = usePeers()
  let raw: Libp2p

  beforeEach(async () => {
    raw = await plainPeer()
  })
  afterEach(async () => {
    await raw.stop()
  })

  /** Everything that comes on a stream until it ends. */
  async function heard(stream: Stream): Promise<Buffer> {
    const parts: Uint8Array[] = []
    stream.addEventListener('message', ({ data }) => parts.push(data.subarray()))
    await Promise.race([once(stream, 'remoteCloseWrite'), once(stream, 'close')])
    return Buffer.concat(parts)
  }

  it('sends what it has, and says what it does not have', async () => {
    const a = await peer()
    const small = randomBytes(1000)
    await a.blockstore.put(cidOfDigest(RAW_CODEC, digestOf(small)), small)
    const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    const all = heard(stream)
    stream.send(frameRangeRequest([digestOf(randomBytes(8)), digestOf(small)]))
    await stream.close()
    expect((await all).equals(Buffer.concat([blockHeader(undefined), blockHeader(1000), small]))).to.equal(true)
  })

  it('sends nothing of a block that was damaged on its disk', async () => {
    const a = await peer()
    const stored = randomBytes(2000)
    const name = digestOf(randomBytes(9))
    a.blockstore.get = () => {
      throw new SalusError('BLOCK_DAMAGED', 'A stored block was damaged on the disk.')
    }
    await a.blockstore.put(cidOfDigest(RAW_CODEC, name), stored)
    const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    const all = heard(stream)
    stream.send(frameRangeRequest([name]))
    await stream.close()
    expect((await all).equals(Buffer.from(blockHeader(undefined)))).to.equal(true)
  })

  it('sends nothing of a small block that rotted in the database, for which it would be cut off', async () => {
    const a = await peer()
    const name = digestOf(randomBytes(9))
    await a.blockstore.put(cidOfDigest(RAW_CODEC, name), randomBytes(2000))
    const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    const all = heard(stream)
    stream.send(frameRangeRequest([name]))
    await stream.close()
    expect((await all).equals(Buffer.from(blockHeader(undefined)))).to.equal(true)
  })

  it('has a place for a peer that comes when another one has taken all', async () => {
    const a = await peer({ exchange: { maxStreams: 3 } })
    const block = randomBytes(1000)
    await a.blockstore.put(cidOfDigest(RAW_CODEC, digestOf(block)), block)
    const open = async (by: Libp2p): Promise<Stream> => by.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    const taken = [await open(raw), await open(raw), await open(raw)]
    // It asks for what nobody has, now and then, so as not to be idle.
    for (const stream of taken) stream.send(frameRangeRequest([digestOf(randomBytes(8))]))
    const other = await plainPeer()
    try {
      const stream = await open(other)
      const all = heard(stream)
      stream.send(frameRangeRequest([digestOf(block)]))
      await stream.close()
      expect((await all).length).to.equal(4 + block.length)
      expect(taken.filter(({ status }) => status === 'open')).to.have.length(2)
    } finally {
      await other.stop()
    }
  })

  for (const [what, bytes] of [
    ['garbage', Uint8Array.of(2, 0xff, 0xff)],
    ['a request above the limit', Uint8Array.of(0xff, 0xff, 0x7f)],
    ['requests without end', new Uint8Array(128 * 1024).fill(1)]
  ] as const) {
    it(`cuts off who sends ${what}`, async () => {
      const a = await peer()
      for (let i = 0; i < 10 && !a.bans.isBanned(raw.peerId.toString()); i++) {
        const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL).catch(() => undefined)
        if (stream == null) break
        const end = heard(stream)
        stream.send(bytes)
        await end
      }
      await until('banned', () => a.bans.isBanned(raw.peerId.toString()))
    })
  }

  it('gives up a peer that asks and does not read, and one that says nothing', async () => {
    const a = await peer({ exchange: { sendTimeoutMs: 100, idleTimeoutMs: 100 } })
    const block = randomBytes(MIB)
    await a.blockstore.put(cidOfDigest(RAW_CODEC, digestOf(block)), block)
    const slow = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    slow.pause()
    slow.send(frameRangeRequest(Array<Uint8Array>(8).fill(digestOf(block))))
    await until('the slow one is given up', () => slow.status !== 'open')
    const silent = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    await until('the silent one is given up', () => silent.status !== 'open')
    expect(a.exchange.counts().sentBytes).to.be.at.most(3 * MIB)
  })

  it('keeps no more streams open than it may, and serves others again when they end', async () => {
    const a = await peer({ exchange: { maxStreams: 2 } })
    const open = async (): Promise<Stream> => raw.dialProtocol(a.host.libp2p.getMultiaddrs(), RANGE_PROTOCOL)
    const kept = [await open(), await open()]
    const third = await open()
    await until('refused', () => third.status !== 'open')
    expect(kept.map(({ status }) => status)).to.deep.equal(['open', 'open'])
    for (const stream of kept) stream.abort(new Error('enough'))
    await until('served again', async () => {
      const stream = await open()
      const all = heard(stream)
      stream.send(frameRangeRequest([digestOf(randomBytes(8))]))
      await stream.close().catch(() => undefined)
      return (await all).length === 4
    })
  })
})
