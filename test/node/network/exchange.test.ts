import { fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { RAW_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { getBlock } from '#node/network/bitswap-block.ts'
import { importFile } from '#node/network/import-file.ts'
import { expectCode } from '#test/error-code.ts'
import { openPeer, plainPeer, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const MIB = 1 << 20

/** SHA-256 of what a peer fetches. */
async function fetchDigest({ exchange }: TestPeer, cid: CID): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of exchange.fetch(cid, { maxBytes: 64 * MIB, signal: AbortSignal.timeout(15_000) })) {
    hash.update(bytes)
  }
  return hash.digest('hex')
}

describe('file exchange', () => {
  const peer = usePeers()

  it('brings a file from peer to peer, also when its publisher is gone and after a restart', async () => {
    const content = randomBytes(8 * MIB + 12_345)
    const digest = createHash('sha256').update(content).digest('hex')
    const a = await peer()
    const { cid, sizeBytes } = await importFile(a.host, [content])
    expect(sizeBytes).to.equal(content.length)

    const folder = await mkdtemp(join(tmpdir(), 'salus-peer-'))
    try {
      const b = await openPeer(folder, { peers: [a.address] })
      expect(await fetchDigest(b, cid)).to.equal(digest)
      await importFile(b.host, [content])
      await a.host.stop()

      const c = await peer({ peers: [b.address] })
      expect(await fetchDigest(c, cid)).to.equal(digest)
      await b.stop()

      const again = await openPeer(folder)
      expect(again.host.peerId.toString()).to.equal(b.host.peerId.toString())
      expect(await again.host.helia.pins.isPinned(cid)).to.equal(true)
      await again.host.helia.gc()
      const d = await peer({ peers: [again.address] })
      expect(await fetchDigest(d, cid)).to.equal(digest)
      await again.stop()
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('brings a file from another process, which is killed, and then from whoever fetched it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'salus-peer-'))
    const publisher = fork(new URL('./publisher-process.ts', import.meta.url), [folder, String(5 * MIB)])
    try {
      const [told] = (await once(publisher, 'message')) as [{ address: string; cid: string; digest: string }]
      const cid = CID.parse(told.cid)
      const b = await peer({ peers: [told.address] })
      expect(await fetchDigest(b, cid)).to.equal(told.digest)
      publisher.kill('SIGKILL')
      await once(publisher, 'exit')
      const c = await peer({ peers: [told.address, b.address] })
      expect(await fetchDigest(c, cid)).to.equal(told.digest)
    } finally {
      publisher.kill('SIGKILL')
      await rm(folder, { recursive: true })
    }
  })

  it('sends a block to who asked for it before it was there, without being asked again', async () => {
    const a = await peer()
    const b = await peer({ peers: [a.address] })
    await until('they are connected', () => a.host.libp2p.getPeers().length > 0)
    const bytes = randomBytes(MIB)
    const cid = cidOfDigest(RAW_CODEC, createHash('sha256').update(bytes).digest())
    const has = a.blockstore.has.bind(a.blockstore)
    const asked = new Promise<void>(resolve => {
      a.blockstore.has = async (wanted: CID) => {
        const isHere = await has(wanted)
        if (wanted.equals(cid)) resolve()
        return isHere
      }
    })
    const fetched = getBlock(b.host.helia, cid, { tries: 1, deadlineMs: 4_000 })
    await asked
    await a.blockstore.put(cid, bytes)
    await a.host.announce(cid)
    expect(Buffer.from(await fetched).equals(bytes)).to.equal(true)
  })

  it('keeps the identity where only its owner can read it', async () => {
    const { directory } = await peer()
    const { mode } = await stat(join(directory, 'identity.key'))
    if (process.platform !== 'win32') expect(mode & 0o777).to.equal(0o600)
  })

  it('refuses a file above the limit before it fetches the leaves', async () => {
    const a = await peer()
    const { cid } = await importFile(a.host, [randomBytes(3 * MIB)])
    const b = await peer({ peers: [a.address] })
    await expectCode('FETCH_OVERSIZE', async () => {
      for await (const bytes of b.exchange.fetch(cid, { maxBytes: 2 * MIB })) expect(bytes).to.equal(undefined)
    })
  })

  it('refuses a folder', async () => {
    const a = await peer()
    const cid = await a.host.unixfs.addDirectory()
    await expectCode('FETCH_NOT_A_FILE', () => a.exchange.fetch(cid, { maxBytes: MIB }).next())
  })

  it('says that no peer has a block', async () => {
    const a = await peer()
    const { cid } = await importFile(a.host, [randomBytes(1000)])
    const b = await peer()
    await expectCode('FETCH_NO_BLOCK', () => {
      return b.exchange.fetch(cid, { maxBytes: MIB, deadlineMs: 50, tries: 2 }).next()
    })
  })

  it('takes from a peer no faster than its reader does', async () => {
    const a = await peer()
    const { cid } = await importFile(a.host, [randomBytes(24 * MIB)])
    const b = await peer({ peers: [a.address] })
    const file = b.exchange.fetch(cid, { maxBytes: 64 * MIB, windowBytes: 4 * MIB })
    await file.next()
    await until('the window is full', async () => (await count(b)) >= 5)
    // One read, four in flight, and the root: the other leaves stay where they are.
    expect(await count(b)).to.be.at.most(6)
    await file.return(undefined)
  })

  it('redials a peer that comes back', async () => {
    const a = await peer()
    const b = await peer({ peers: [a.address] })
    await until('connected', () => b.host.libp2p.getConnections(a.host.peerId).length > 0)
    await a.host.libp2p.hangUp(b.host.peerId)
    await until('connected again', () => b.host.libp2p.getConnections(a.host.peerId).length > 0)
  })

  it('connects by noise where a peer offers nothing else', async () => {
    const a = await peer()
    const other = await plainPeer()
    try {
      const [address] = a.host.libp2p.getMultiaddrs()
      const connection = await other.dial(address!)
      expect(connection.encryption).to.equal('/noise')
    } finally {
      await other.stop()
    }
  })
})

/** Number of blocks on a peer's disk. */
async function count({ blockstore }: TestPeer): Promise<number> {
  const walk = blockstore.getAll()
  for (let blocks = 0; ; blocks++) if ((await walk.next()).done === true) return blocks
}
