import { PerformanceObserver } from 'node:perf_hooks'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2pOptions } from 'libp2p'
import { expect } from 'chai'
import { askHave, createHaveService } from '#node/network/have.ts'
import { DEFAULT_LIMITS } from '#node/network/limits.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { parseAddress } from '#node/network/supervisor.ts'
import { log, plainPeer, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const admission = { mode: 'private', networkKey: new Uint8Array(32).fill(5) } as const

describe('ways between peers', () => {
  const peer = usePeers()

  /** Has a peer answer one small protocol. */
  async function serve({ host, bans, blockstore }: TestPeer): Promise<void> {
    const rate = createRateLimiter({ clock: Date.now }, { perSecond: 100, burst: 100 })
    await createHaveService({ libp2p: host.libp2p, bans, log, rate, blockstore }).start()
  }

  it('listens for WebSockets beside TCP', async () => {
    const a = await peer({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] })
    await serve(a)
    const b = await peer({ listen: [] })
    const [ws] = a.host.libp2p.getMultiaddrs().filter(address => address.toString().includes('/ws'))
    await b.host.libp2p.dial(ws ?? [])
    expect(b.host.libp2p.getConnections().map(({ remoteAddr }) => remoteAddr.toString())[0]).to.include('/ws')
    expect(await askHave(b.host.libp2p, a.host.peerId, [])).to.deep.equal([])
  })

  for (const mode of ['open', 'private'] as const) {
    it(`reaches a peer that cannot be dialled through a relay (${mode})`, async () => {
      const init = mode === 'private' ? { admission } : {}
      const relay = await peer({ relay: 'server', ...init })
      const hidden = await peer({ relay: 'client', listen: [`${relay.address}/p2p-circuit`], ...init })
      await serve(hidden)
      const asking = await peer({ relay: 'client', listen: [], ...init })
      await until('reserved', () => hidden.host.libp2p.getMultiaddrs().length > 0)
      const [address] = hidden.host.libp2p.getMultiaddrs()
      expect(address?.toString()).to.include(`${relay.host.peerId.toString()}/p2p-circuit`)
      const connection = await asking.host.libp2p.dial(parseAddress(address?.toString() ?? ''))
      // Open relays are for finding a direct way only; members of a private network may stay on them.
      expect(connection.limits != null).to.equal(mode === 'open')
      if (mode === 'private') expect(await askHave(asking.host.libp2p, hidden.host.peerId, [])).to.deep.equal([])
    })
  }

  it('relays for nobody who is cut off, and at all only where it was told to', async () => {
    const relay = await peer({ relay: 'server' })
    const hidden = await peer({ relay: 'client', listen: [] })
    relay.bans.penalise(hidden.host.peerId.toString(), 100, 'TEST')
    let refused: unknown
    await hidden.host.libp2p.dial(relay.host.libp2p.getMultiaddrs()).catch((error: unknown) => (refused = error))
    expect(refused).to.not.equal(undefined)
    expect((await peer()).host.libp2p.getProtocols().filter(protocol => protocol.includes('circuit'))).to.deep.equal([])
  })

  it('contacts no address that was not configured, and resolves no name', async () => {
    const contacted: string[] = []
    const observer = new PerformanceObserver(list => {
      for (const entry of list.getEntries()) {
        const { host, hostname } = (entry as unknown as { detail: { host?: string; hostname?: string } }).detail
        contacted.push(`${entry.entryType} ${host ?? hostname ?? ''}`)
      }
    })
    observer.observe({ entryTypes: ['net', 'dns'] })
    try {
      const relay = await peer({ relay: 'server', listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] })
      const hidden = await peer({ relay: 'client', listen: [`${relay.address}/p2p-circuit`] })
      const third = await peer({ relay: 'client', peers: [relay.address] })
      await until('connected', () => third.host.libp2p.getPeers().length > 0)
      await until('reserved', () => hidden.host.libp2p.getMultiaddrs().length > 0)
      await until('seen', () => contacted.length >= 2)
      expect(new Set(contacted)).to.deep.equal(new Set(['net 127.0.0.1']))
    } finally {
      observer.disconnect()
    }
  })

  it('has at most so many connections and streams with one peer', async () => {
    const limits = { maxConnectionsPerPeer: 2, maxStreamsPerConnection: 8 }
    const a = await peer({ limits })
    const b = await peer({ listen: [] })
    const dial = async (): Promise<unknown> =>
      await b.host.libp2p.dial(a.host.libp2p.getMultiaddrs(), { force: true }).catch((error: unknown) => error)
    for (let i = 0; i < 4; i++) await dial()
    await until('settled', () => b.host.libp2p.getConnections(a.host.peerId).length === 2)
    expect(a.host.libp2p.getConnections(b.host.peerId)).to.have.length(2)
    await a.host.libp2p.handle('/test/idle', () => undefined, { maxInboundStreams: 1_000 })
    const [connection] = b.host.libp2p.getConnections(a.host.peerId)
    for (let i = 0; i < 40; i++) {
      await connection?.newStream('/test/idle', { maxOutboundStreams: 1_000 }).catch((error: unknown) => error)
    }
    for (const { streams } of a.host.libp2p.getConnections(b.host.peerId)) {
      expect(streams.filter(({ direction }) => direction === 'inbound').length).to.be.at.most(8)
    }
  })

  it('has at most so many connections with a peer that finishes many at once', async () => {
    const a = await peer({ limits: { maxConnectionsPerPeer: 2 } })
    const COUNT = 8
    const all = Promise.withResolvers<undefined>()
    let encrypted = 0
    // Each proves who it is, and says nothing more until all others have.
    const connectionGater = {
      denyOutboundEncryptedConnection: async () => {
        if (++encrypted === COUNT) all.resolve(undefined)
        await all.promise
        return false
      }
    }
    const privateKey = await generateKeyPair('Ed25519')
    // It names no multiplexer while it proves who it is, so that one is agreed on afterwards, when it likes.
    const encrypter: NonNullable<Libp2pOptions['connectionEncrypters']>[number] = components => {
      const made = noise()(components)
      const secure = made.secureOutbound.bind(made)
      made.secureOutbound = async (stream, options) => secure(stream, { ...options, skipStreamMuxerNegotiation: true })
      return made
    }
    const special = { privateKey, connectionGater, connectionEncrypters: [encrypter] }
    const one = async (): Promise<Libp2p> => plainPeer([], special)
    const strangers = await Promise.all(Array.from({ length: COUNT }, one))
    try {
      await Promise.all(
        strangers.map(async each => each.dial(a.host.libp2p.getMultiaddrs()).catch((error: unknown) => error))
      )
      const open = (): number => strangers.reduce((sum, each) => sum + each.getConnections().length, 0)
      await until('no more than two are left', () => open() <= 2, 10_000)
      expect(encrypted).to.equal(COUNT)
    } finally {
      for (const each of strangers) await each.stop()
    }
  })

  it('cuts off a peer that sends what nobody reads', async () => {
    const a = await peer({ limits: { maxHeldBytesPerPeer: 1 << 20 } })
    const b = await peer({ listen: [] })
    await a.host.libp2p.handle('/test/idle', () => undefined)
    const stream = await b.host.libp2p.dialProtocol(a.host.libp2p.getMultiaddrs(), '/test/idle')
    for (let i = 0; i < 64 && stream.status === 'open'; i++) {
      if (!stream.send(new Uint8Array(65_536))) await stream.onDrain().catch(() => undefined)
    }
    await until('cut off', () => a.bans.isBanned(b.host.peerId.toString()))
    await until('gone', () => a.host.libp2p.getConnections(b.host.peerId).length === 0)
    expect(DEFAULT_LIMITS.maxHeldBytesPerPeer).to.be.greaterThan(64 << 20)
  })
})
