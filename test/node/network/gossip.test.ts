import { expect } from 'chai'
import { utf8 } from '#core/encoding/bytes.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { allTopics, topicOf } from '#core/network/topic.ts'
import type { Verdict } from '#node/network/accept.ts'
import { createGossip, type Gossip } from '#node/network/gossip.ts'
import type { HostInit } from '#node/network/host.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { expectCode } from '#test/error-code.ts'
import { log, plainPeer, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const networkId = new Uint8Array(32).fill(7)
const patient = new Uint8Array(32).fill(8)
const topics = allTopics(networkId)
const topic = topicOf(portablePrimitives, networkId, patient)

interface Speaker extends TestPeer {
  readonly gossip: Gossip
  /** Texts of the messages that came. */
  readonly heard: string[]
}

describe('gossip', () => {
  const peer = usePeers()

  /** A peer that accepts what begins with "good", rejects what begins with "bad" and ignores the rest. */
  async function speaker(init: Partial<HostInit> = {}): Promise<Speaker> {
    const opened = await peer({ topics, ...init })
    const heard: string[] = []
    const accept = (bytes: Uint8Array): Promise<Verdict> => {
      const text = new TextDecoder().decode(bytes)
      heard.push(text)
      if (text.startsWith('good')) return Promise.resolve({ verdict: 'accept' })
      return Promise.resolve({ verdict: text.startsWith('bad') ? 'reject' : 'ignore', code: 'MESSAGE_SHAPE' })
    }
    const { libp2p } = opened.host
    const useless = createRateLimiter({ clock: Date.now }, { perSecond: 1, burst: 50 })
    const components = { libp2p, primitives: portablePrimitives, bans: opened.bans, log, accept, useless }
    const gossip = createGossip(components, { networkId })
    gossip.start()
    return { ...opened, gossip, heard }
  }

  /** Waits until peers know of each other's subscriptions. */
  async function joined(a: TestPeer, b: TestPeer): Promise<void> {
    const knows = (x: TestPeer, y: TestPeer): boolean =>
      x.host.libp2p.services.pubsub.getSubscribers(topic).some(id => id.equals(y.host.peerId))
    await until('subscriptions are known', () => knows(a, b) && knows(b, a))
  }

  it('brings a message to peers of peers, and one that was not accepted no further', async () => {
    const a = await speaker()
    const b = await speaker({ peers: [a.address] })
    const c = await speaker({ peers: [b.address] })
    await joined(a, b)
    await joined(b, c)
    await a.gossip.publish(utf8('ignored'), patient)
    await a.gossip.publish(utf8('good'), patient)
    await until('c has heard', () => c.heard.includes('good'))
    expect(b.heard).to.have.members(['ignored', 'good'])
    expect(c.heard).to.deep.equal(['good'])
  })

  it('is content with nobody listening, and refuses what is too large', async () => {
    const a = await speaker()
    expect(await a.gossip.publish(utf8('good'), patient)).to.equal(0)
    await expectCode('MESSAGE_OVERSIZE', () => a.gossip.publish(new Uint8Array(64 * 1024), patient))
  })

  it('cuts off a peer whose messages break the rules, keeps it off over a restart, and honest ones still pass', async () => {
    const a = await speaker()
    const honest = await speaker({ peers: [a.address] })
    const bad = await speaker({ peers: [a.address] })
    await joined(a, honest)
    await joined(a, bad)
    const id = bad.host.peerId.toString()
    for (let i = 0; i < 10 && !a.bans.isBanned(id); i++) {
      await bad.gossip.publish(utf8(`bad ${String(i)}`), patient)
      await until('judged', () => a.heard.includes(`bad ${String(i)}`) || a.bans.isBanned(id))
    }
    await until('cut off', () => a.host.libp2p.getConnections(bad.host.peerId).length === 0)
    expect(a.bans.isBanned(id)).to.equal(true)
    await a.bans.stop()
    await a.bans.start()
    expect(a.bans.isBanned(id)).to.equal(true)
    await honest.gossip.publish(utf8('good'), patient)
    await until('a has heard', () => a.heard.includes('good'))
  })

  it('cuts off a peer that floods, and honest ones still pass', async () => {
    const a = await speaker({ limits: { gossipMessages: { perSecond: 50, burst: 400 } } })
    const honest = await speaker({ peers: [a.address] })
    const flooder = await speaker({ peers: [a.address] })
    await joined(a, honest)
    await joined(a, flooder)
    for (let i = 0; i < 500; i++) await flooder.gossip.publish(utf8(`whatever ${String(i)}`), patient)
    await until('cut off', () => a.bans.isBanned(flooder.host.peerId.toString()))
    await honest.gossip.publish(utf8('good'), patient)
    await until('a has heard', () => a.heard.includes('good'))
    expect(a.bans.isBanned(honest.host.peerId.toString())).to.equal(false)
  })

  it('cuts off a peer that keeps sending what is not wanted, and honest ones still pass', async () => {
    const a = await speaker()
    const honest = await speaker({ peers: [a.address] })
    const bad = await speaker({ peers: [a.address] })
    await joined(a, honest)
    await joined(a, bad)
    for (let i = 0; i < 60; i++) await bad.gossip.publish(utf8(`old ${String(i)}`), patient)
    await until('cut off', () => a.bans.isBanned(bad.host.peerId.toString()))
    await honest.gossip.publish(utf8('good'), patient)
    await until('a has heard', () => a.heard.includes('good'))
  })

  it('cuts off a peer that sends bytes which are no gossip at all', async () => {
    const a = await speaker()
    const raw = await plainPeer()
    try {
      const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), '/meshsub/1.1.0')
      // Length-prefixed frames whose content is not protobuf.
      for (let i = 0; i < 10; i++) stream.send(new Uint8Array([4, 0xff, 0xff, 0xff, 0xff]))
      await until('cut off', () => a.bans.isBanned(raw.peerId.toString()))
      await until('hung up', () => a.host.libp2p.getConnections(raw.peerId).length === 0)
    } finally {
      await raw.stop()
    }
  })

  it('cuts off a peer that talks of topics which do not exist', async () => {
    const a = await speaker()
    const bad = await speaker({ peers: [a.address], topics: [...topics, '/other'] })
    bad.host.libp2p.services.pubsub.subscribe('/other')
    await joined(a, bad)
    // A peer of its own making may send to whom it likes.
    const pubsub = bad.host.libp2p.services.pubsub as unknown as { sendRpc(peer: string, rpc: object): void }
    for (let i = 0; i < 10; i++) {
      pubsub.sendRpc(a.host.peerId.toString(), {
        subscriptions: [],
        messages: [{ topic: '/other', data: utf8(String(i)) }]
      })
    }
    await until('cut off', () => a.bans.isBanned(bad.host.peerId.toString()))
  })

  it('cuts off a peer whose gossip is not signed', async () => {
    const a = await speaker()
    const bad = await speaker({ peers: [a.address] })
    await joined(a, bad)
    const pubsub = bad.host.libp2p.services.pubsub as unknown as { sendRpc(peer: string, rpc: object): void }
    for (let i = 0; i < 10; i++) {
      const message = { topic, data: utf8(`good ${String(i)}`) }
      pubsub.sendRpc(a.host.peerId.toString(), { subscriptions: [], messages: [message] })
    }
    await until('cut off', () => a.bans.isBanned(bad.host.peerId.toString()))
    expect(a.heard).to.deep.equal([])
  })
})
