import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import type { Libp2p } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import {
  decodeSyncRequest,
  encodeSyncMessages,
  encodeSyncNews,
  encodeSyncParts,
  type SyncNews,
  type SyncRequest
} from '#core/network/sync.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { Verdict } from '#node/network/accept.ts'
import { askHave, createHaveService } from '#node/network/have.ts'
import { importFile } from '#node/network/import-file.ts'
import { openMessageIds } from '#node/network/message-ids.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createSubmitService, submit } from '#node/network/submit.ts'
import { createSync, type Sync } from '#node/network/sync.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { expectCode } from '#test/error-code.ts'
import { log, plainPeer, until, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const networkId = new Uint8Array(32).fill(7)

/** The id of a test's message. */
const identify = (bytes: Uint8Array): Uint8Array => nativePrimitives.sha256(bytes)

interface Answering extends TestPeer {
  readonly messages: MessageLog
  readonly sync: Sync
  /** What is said of a message, "accept" unless it is set here. */
  readonly verdicts: Map<string, Verdict>
}

/** How many listen to a signal or, as AbortSignal.any does, were joined to it. */
function joinedTo(signal: AbortSignal): number {
  const kept = Object.getOwnPropertySymbols(signal).map(symbol => Reflect.get(signal, symbol) as unknown)
  const sizes = kept.map(value =>
    value != null && typeof value === 'object' && 'size' in value ? Number(value.size) : 0
  )
  return Math.max(getEventListeners(signal, 'abort').length, ...sizes)
}

describe('requests between peers', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })
  // After the services: hooks run in the order of their registration.
  const peer = usePeers()

  async function answering(init: Parameters<typeof peer>[0] = {}, network = networkId): Promise<Answering> {
    const opened = await peer(init)
    const { db, bans, blockstore } = opened
    const { libp2p } = opened.host
    const messages = createMessageLog({ db })
    const verdicts = new Map<string, Verdict>()
    const accept = async (bytes: Uint8Array): Promise<Verdict> => {
      const text = new TextDecoder().decode(bytes)
      const verdict = verdicts.get(text) ?? { verdict: 'accept' }
      if (verdict.verdict === 'accept') await messages.append(text, bytes, [])
      return verdict
    }
    const rate = createRateLimiter({ clock: Date.now }, { perSecond: 1, burst: 50 })
    const ids = await openMessageIds({ p: nativePrimitives, db, messages, identify })
    const components = { libp2p, bans, log, rate, accept, db, messages, blockstore, ids, identify }
    const sync = createSync(components, { networkId: network })
    const services = [createSubmitService(components), createHaveService(components), sync]
    for (const service of services) {
      await service.start()
      stops.unshift(() => service.stop())
    }
    return { ...opened, messages, sync, verdicts }
  }

  const texts = async ({ messages }: Answering): Promise<string[]> =>
    (await messages.read(0, 1000)).map(({ bytes }) => new TextDecoder().decode(bytes))

  it('submits a message, which is on the disk when the answer comes', async () => {
    const a = await answering()
    const b = await answering({ peers: [a.address] })
    await submit(b.host.libp2p, a.host.peerId, utf8('hello'))
    expect(await texts(a)).to.deep.equal(['hello'])
  })

  it('tells why a message was refused', async () => {
    const a = await answering()
    a.verdicts.set('no', { verdict: 'ignore', code: 'ENTRY_RETIRED' })
    const b = await answering({ peers: [a.address] })
    await expectCode('ENTRY_RETIRED', () => submit(b.host.libp2p, a.host.peerId, utf8('no')))
    expect(await texts(a)).to.deep.equal([])
  })

  it('says which blocks a peer has, without asking the network', async () => {
    const a = await answering()
    const b = await answering({ peers: [a.address] })
    const here = await importFile(a.host, [utf8('here')])
    const there = await importFile(b.host, [utf8('there')])
    const asked = [here.cid, there.cid, here.cid]
    expect(await askHave(b.host.libp2p, a.host.peerId, asked)).to.deep.equal([true, false, true])
    expect(await askHave(b.host.libp2p, a.host.peerId, [])).to.deep.equal([])
  })

  it('catches up with everything that happened while it was away, and only that', async () => {
    const a = await answering()
    for (let i = 0; i < 600; i++) await a.messages.append(`m${String(i)}`, utf8(`m${String(i)}`), [])
    const b = await answering({ peers: [a.address] })
    await until('b has caught up', async () => (await b.messages.head()) === 600)
    expect(await texts(b)).to.deep.equal(await texts(a))
    // The round that brought them may not be over.
    await b.sync.pull(a.host.peerId)
    expect(await b.sync.pull(a.host.peerId)).to.equal(0)
    await a.messages.append('late', utf8('late'), [])
    expect(await b.sync.pull(a.host.peerId)).to.equal(1)
  })

  it('asks again for a message that could not be judged yet', async () => {
    const a = await answering()
    const b = await answering()
    b.verdicts.set('second', { verdict: 'ignore', retry: true })
    for (const text of ['first', 'second', 'third']) await a.messages.append(text, utf8(text), [])
    await b.host.libp2p.dial(a.host.libp2p.getMultiaddrs())
    await b.sync.pull(a.host.peerId)
    expect(await texts(b)).to.deep.equal(['first', 'third'])
    expect(await b.sync.pull(a.host.peerId)).to.equal(0)
    b.verdicts.delete('second')
    expect(await b.sync.pull(a.host.peerId)).to.equal(1)
    expect(await texts(b)).to.have.members(['first', 'second', 'third'])
  })

  /** A peer that answers each question with what a test says. */
  async function liar(
    answer: (asked: SyncRequest, nth: number) => Uint8Array
  ): Promise<{ peer: Libp2p; asked: () => number }> {
    const raw = await plainPeer(['/ip4/127.0.0.1/tcp/0'])
    stops.unshift(async () => raw.stop())
    let nth = 0
    await raw.handle('/salus/sync/2', async stream => {
      const frames = lpStream(stream)
      const asked = decodeSyncRequest((await frames.read()).subarray(), networkId)
      await frames.write(answer(asked, nth++))
      await stream.close()
    })
    return { peer: raw, asked: () => nth }
  }

  const logOf = (id: number): Uint8Array => new Uint8Array(16).fill(id)
  const textAt = (position: number): Uint8Array => utf8(`x${String(position)}`)
  const newsOf = (from: number, count: number): SyncNews['ids'] =>
    Array.from({ length: count }, (_, i) => ({ position: from + i, id: identify(textAt(from + i)) }))
  /** Answers a request for messages whose texts are `x` and a number below 3000. */
  const byId = new Map(Array.from({ length: 3000 }, (_, i) => [toHex(identify(textAt(i))), textAt(i)]))
  const messagesOf = (ids: readonly Uint8Array[]): Uint8Array =>
    encodeSyncMessages(ids.map(id => byId.get(toHex(id)) ?? null))

  it('refuses ids that come a second time', async () => {
    const b = await answering()
    const { peer: raw } = await liar(asked =>
      asked.kind === 'get' ? messagesOf(asked.ids) : encodeSyncNews({ log: logOf(1), head: 1000, ids: newsOf(1, 2) })
    )
    await b.host.libp2p.dial(raw.getMultiaddrs())
    await expectCode('SYNC_POSITION', () => b.sync.pull(raw.peerId))
    expect(await texts(b)).to.have.members(['x1', 'x2'])
  })

  it('refuses a log that changes while it is read', async () => {
    const b = await answering()
    const { peer: raw } = await liar((asked, nth) =>
      asked.kind === 'get' ? messagesOf(asked.ids) : encodeSyncNews({ log: logOf(nth), head: 1000, ids: newsOf(1, 2) })
    )
    await b.host.libp2p.dial(raw.getMultiaddrs())
    await expectCode('SYNC_LOG_CHANGED', () => b.sync.pull(raw.peerId))
  })

  it('refuses another message than it asked for', async () => {
    const b = await answering()
    const { peer: raw } = await liar(asked =>
      asked.kind === 'get'
        ? encodeSyncMessages(asked.ids.map(() => utf8('another')))
        : encodeSyncNews({ log: logOf(1), head: 2, ids: newsOf(1, 2) })
    )
    await b.host.libp2p.dial(raw.getMultiaddrs())
    await expectCode('SYNC_OTHER_MESSAGE', () => b.sync.pull(raw.peerId))
    expect(await texts(b)).to.deep.equal([])
  })

  /** Lets a peer go and come back, and expects that it is not asked. */
  async function isLeftAlone(b: Answering, raw: Libp2p, asked: () => number): Promise<void> {
    const before = asked()
    await b.host.libp2p.hangUp(raw.peerId)
    await until('hung up', () => raw.getConnections().length === 0)
    await b.host.libp2p.dial(raw.getMultiaddrs())
    // By the time that these are answered, a round that began with the connection would have been seen.
    for (let i = 0; i < 10; i++) {
      await expectCode('PEER_PROTOCOL_UNKNOWN', () => askHave(b.host.libp2p, raw.peerId, []))
    }
    expect(asked()).to.equal(before)
  }

  it('ends the round of a peer whose messages are all ignored, and leaves it alone', async () => {
    const b = await answering()
    for (const bytes of byId.values()) {
      b.verdicts.set(new TextDecoder().decode(bytes), { verdict: 'ignore', code: 'ENTRY_RETIRED' })
    }
    const { peer: raw, asked } = await liar(asked =>
      asked.kind === 'get'
        ? messagesOf(asked.ids)
        : encodeSyncNews({ log: logOf(1), head: 2000, ids: asked.kind === 'news' ? newsOf(asked.after + 1, 600) : [] })
    )
    await b.host.libp2p.dial(raw.getMultiaddrs())
    expect(await b.sync.pull(raw.peerId)).to.equal(0)
    expect(asked()).to.equal(4)
    await isLeftAlone(b, raw, asked)
  })

  it('ends the round of a peer that offers without end what we have, or what it has not', async () => {
    for (const [position, text] of [
      ['has', () => textAt(1)],
      ['has not', (at: number) => utf8(`nothing ${String(at)}`)]
    ] as const) {
      const b = await answering()
      await b.messages.append('x1', textAt(1), [])
      const { peer: raw, asked } = await liar(asked => {
        if (asked.kind !== 'news') return messagesOf(asked.kind === 'get' ? asked.ids : [])
        const ids = newsOf(asked.after + 1, 600).map(({ position: at }) => ({ position: at, id: identify(text(at)) }))
        return encodeSyncNews({ log: logOf(1), head: 4000, ids })
      })
      await b.host.libp2p.dial(raw.getMultiaddrs())
      expect(await b.sync.pull(raw.peerId), position).to.equal(0)
      await isLeftAlone(b, raw, asked)
    }
  })

  it('ends the walk down a set that differs without end', async () => {
    const b = await answering()
    const { peer: raw, asked } = await liar((asked, nth) => {
      if (asked.kind !== 'look') return encodeSyncNews({ log: logOf(1), head: 1_000_000, ids: newsOf(1, 1) })
      const mark = nth.toString(16).padStart(32, 'f')
      return encodeSyncParts(
        asked.prefixes.map(prefix =>
          prefix.length < 64 ? { marks: Array.from({ length: 16 }, () => mark) } : { ids: [] }
        )
      )
    })
    await b.host.libp2p.dial(raw.getMultiaddrs())
    expect(await b.sync.pull(raw.peerId)).to.equal(0)
    expect(asked()).to.be.lessThan(100)
    await isLeftAlone(b, raw, asked)
  })

  it('reads a long log of messages that it has in one round', async () => {
    const a = await answering()
    const b = await answering()
    for (let i = 0; i < 600; i++) {
      for (const { messages } of [a, b]) await messages.append(`m${String(i)}`, utf8(`m${String(i)}`), [])
      b.verdicts.set(`m${String(i)}`, { verdict: 'ignore', code: 'MESSAGE_KNOWN' })
    }
    await a.messages.append('new', utf8('new'), [])
    await b.host.libp2p.dial(a.host.libp2p.getMultiaddrs())
    await b.sync.pull(a.host.peerId)
    expect(await b.messages.getByKey('new')).to.not.equal(undefined)
  })

  it('leaves nothing on the long-lived signal of whoever asks', async () => {
    const a = await answering()
    const b = await answering({ peers: [a.address] })
    const { signal } = new AbortController()
    for (let i = 0; i < 5; i++) await askHave(b.host.libp2p, a.host.peerId, [], { signal })
    expect(joinedTo(signal)).to.equal(0)
    const joined = AbortSignal.any([signal])
    joined.addEventListener('abort', () => undefined)
    expect(joinedTo(signal)).to.equal(1)
  })

  it('gives nothing to a peer of another network', async () => {
    const a = await answering()
    const b = await answering({}, new Uint8Array(32).fill(9))
    await a.messages.append('ours', utf8('ours'), [])
    await b.host.libp2p.dial(a.host.libp2p.getMultiaddrs())
    await expectCode('PEER_NO_ANSWER', () => b.sync.pull(a.host.peerId))
    expect(await texts(b)).to.deep.equal([])
  })

  it('says that a peer cannot be reached, or does not speak the protocol', async () => {
    const a = await answering()
    const b = await peer()
    const [address] = b.host.libp2p.getMultiaddrs()
    await expectCode('PEER_PROTOCOL_UNKNOWN', () => submit(a.host.libp2p, address!, utf8('x')))
    await b.host.stop()
    await expectCode('PEER_UNREACHABLE', () => submit(a.host.libp2p, address!, utf8('x')))
  })

  for (const protocol of ['/salus/sync/2', '/salus/have/1']) {
    it(`cuts off a peer that sends garbage to ${protocol}, and others are still served`, async () => {
      const a = await answering()
      const honest = await answering({ peers: [a.address] })
      const raw = await plainPeer()
      try {
        for (let i = 0; i < 10 && !a.bans.isBanned(raw.peerId.toString()); i++) {
          const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), protocol)
          const frames = lpStream(stream)
          await frames.write(new Uint8Array([0xff, 0xff]))
          await frames.read().catch((error: unknown) => expect(error).to.be.an('error'))
        }
        await until('cut off', () => a.bans.isBanned(raw.peerId.toString()))
        let refused: unknown
        await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), protocol).catch((error: unknown) => (refused = error))
        expect(refused).to.be.an('error')
      } finally {
        await raw.stop()
      }
      await submit(honest.host.libp2p, a.host.peerId, utf8('honest'))
      expect(await texts(a)).to.deep.equal(['honest'])
    })
  }

  it('refuses a request that is larger than the protocol allows', async () => {
    const a = await answering()
    const raw = await plainPeer()
    try {
      const stream = await raw.dialProtocol(a.host.libp2p.getMultiaddrs(), '/salus/submit/1')
      const frames = lpStream(stream)
      await frames.write(new Uint8Array(128 * 1024))
      let error: unknown
      await frames.read().catch((reason: unknown) => (error = reason))
      expect(error).to.be.an('error')
      expect(await texts(a)).to.deep.equal([])
    } finally {
      await raw.stop()
    }
  })

  it('cuts off a peer that asks without end', async () => {
    const a = await answering()
    const flooder = await answering({ peers: [a.address] })
    let failure: unknown
    for (let i = 0; i < 100 && failure == null; i++) {
      await askHave(flooder.host.libp2p, a.host.peerId, []).catch((error: unknown) => (failure = error))
    }
    expect(failure).to.be.an('error')
    await until('cut off', async () => {
      await askHave(flooder.host.libp2p, a.host.peerId, []).catch((error: unknown) => (failure = error))
      return a.bans.isBanned(flooder.host.peerId.toString())
    })
  })
})
