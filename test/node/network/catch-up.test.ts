import { expect } from 'chai'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openMessageIds, type MessageIds } from '#node/network/message-ids.ts'
import { createRateLimiter } from '#node/network/rate-limiter.ts'
import { createSync, type Sync } from '#node/network/sync.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { log, usePeers, type TestPeer } from '#test/node/network/peer.ts'

const networkId = new Uint8Array(32).fill(7)

/** An id with a day, as those of real messages have. */
function identify(bytes: Uint8Array): Uint8Array {
  const [day = 0] = new TextDecoder().decode(bytes).split(' ').map(Number)
  return Uint8Array.of(day >> 8, day & 255, ...p.sha256(bytes).subarray(0, 30))
}

interface Keeper extends TestPeer {
  readonly messages: MessageLog
  readonly ids: MessageIds
  readonly sync: Sync
  /** What was asked for by id, so far. */
  readonly judged: () => number
}

describe('catching up', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })
  const peer = usePeers()

  /** A peer whose log holds some texts, which begin with their day. */
  async function keeper(texts: readonly string[]): Promise<Keeper> {
    const opened = await peer()
    const { db, bans, host } = opened
    const messages = createMessageLog({ db })
    await Promise.all(texts.map(async text => messages.append(text, utf8(text), [new Uint8Array(1)])))
    const ids = await openMessageIds({ p, db, messages, identify })
    let judged = 0
    const accept = async (bytes: Uint8Array): Promise<{ verdict: 'accept' }> => {
      judged++
      await messages.append(new TextDecoder().decode(bytes), bytes, [])
      return { verdict: 'accept' }
    }
    const rate = createRateLimiter({ clock: Date.now }, { perSecond: 1000, burst: 1000 })
    const sync = createSync(
      { libp2p: host.libp2p, bans, log, rate, accept, db, messages, ids, identify },
      { networkId }
    )
    await sync.start()
    stops.unshift(() => sync.stop())
    return { ...opened, messages, ids, sync, judged: () => judged }
  }

  const textsOf = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `${String(20_000 + ((from + i) >> 7))} message ${String(from + i)}`)

  async function meet(a: Keeper, b: Keeper): Promise<void> {
    await a.host.libp2p.dial(b.host.libp2p.getMultiaddrs())
    await a.sync.pull(b.host.peerId)
    await b.sync.pull(a.host.peerId)
  }

  it('gets from a peer it never met only what it lacks, though their logs have another order', async () => {
    const all = textsOf(0, 6000)
    const old = all.slice(0, 5000)
    const away = await keeper([...old].reverse())
    const other = await keeper([...all.slice(5500), ...old, ...all.slice(5000, 5500)])
    await meet(away, other)
    expect(away.judged()).to.equal(1000)
    expect(other.judged()).to.equal(0)
    expect(away.ids.mark('')).to.equal(other.ids.mark(''))
    // Compared once; from here on only what is new is read.
    await other.messages.append('one more', utf8('20050 one more'), [])
    expect(await away.sync.pull(other.host.peerId)).to.equal(1)
  })

  it('makes two logs that grew apart the same', async () => {
    const shared = textsOf(0, 4500)
    const a = await keeper([...shared, ...textsOf(5000, 5100)])
    const b = await keeper([...textsOf(6000, 6100), ...shared])
    await meet(a, b)
    expect([a.judged(), b.judged()]).to.deep.equal([100, 100])
    expect(a.ids.mark('')).to.equal(b.ids.mark(''))
  })

  it('fetches each message once, whoever offers it', async () => {
    const all = textsOf(0, 700)
    const [x, y] = [await keeper(all), await keeper(all)]
    const away = await keeper([])
    for (const other of [x, y]) await away.host.libp2p.dial(other.host.libp2p.getMultiaddrs())
    await Promise.all([away.sync.pull(x.host.peerId), away.sync.pull(y.host.peerId)])
    expect(away.judged()).to.equal(700)
    expect(away.ids.size()).to.equal(700)
  })

  it('offers no message that was erased', async () => {
    const [first = '', ...rest] = textsOf(0, 50)
    const a = await keeper([first, ...rest])
    const b = await keeper([])
    await a.messages.erase([first], new Uint8Array(1))
    await meet(b, a)
    expect(b.ids.size()).to.equal(49)
    expect(await a.ids.get(toHex(identify(utf8(first))).slice(2))).to.equal(undefined)
    expect(a.ids.mark('')).to.equal(b.ids.mark(''))
  })

  it('makes its ids anew from the log where a crash lost them', async () => {
    const { db, messages, ids } = await keeper(textsOf(0, 500))
    await ids.catchUp()
    await db.sublevel('message-ids').clear()
    const again = await openMessageIds({ p, db, messages, identify })
    expect(again.size()).to.equal(0)
    await again.catchUp()
    expect(again.mark('')).to.equal(ids.mark(''))
  })
})
