import { expect } from 'chai'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Member } from '#node/placement/members.ts'
import { createReach, type Reach, type ReachComponents, type ReachInit } from '#node/placement/reach.ts'
import { log } from '#test/node/network/peer.ts'

const [GOOD, BAD, OTHER] = [
  '12D3KooWHFrmLWTTDD4NodngtRMEVYgxrsDMp4F9iSwYntZ9WjHa',
  '12D3KooWGQmdpbHERG6TmbsFUvKKWm6oLRTGeJ5wHVWPbhZYQfWV',
  '12D3KooWJRSrypvnpHgc6ZAgyCni4KcSmbV7uGRaMw5LgMKT18fq'
] as const
const GARBAGE = Uint8Array.of(0xff)

describe('reaching members', () => {
  let elapsed: number
  let dials: string[]
  let connected: Set<string>
  /** Addresses in pledges. */
  let pledged: Map<string, readonly Uint8Array[]>

  function reach(init: Partial<ReachInit> = {}): Reach {
    const libp2p = {
      getMultiaddrs: () => [multiaddr('/ip4/203.0.113.7/tcp/4001')],
      getConnections: (peer: { toString(): string } | undefined) => (connected.has(String(peer)) ? [{}] : []),
      dial: async (addresses: readonly Multiaddr[]) => {
        dials.push(...addresses.map(String))
        const id = String(addresses[0]?.getComponents().at(-1)?.value)
        if (id === BAD) throw new Error('nobody there')
        connected.add(id)
        return Promise.resolve({})
      }
    } as unknown as ReachComponents['libp2p']
    const get = (id: string): Member => ({ pledge: { addresses: pledged.get(id) ?? [] } }) as unknown as Member
    return createReach({ libp2p, members: { get }, elapsedMs: () => elapsed, log }, { isOpen: true, ...init })
  }

  beforeEach(() => {
    elapsed = 0
    dials = []
    connected = new Set()
    const address = multiaddr('/ip4/198.51.100.9/tcp/4001').bytes
    pledged = new Map([GOOD, BAD, OTHER].map(id => [id, [address]]))
  })

  it('dials one that is not connected, once however many ask', async () => {
    const one = reach()
    expect(await Promise.all([one.reach(GOOD), one.reach(GOOD)])).to.deep.equal([true, true])
    expect(await one.reach(GOOD)).to.equal(true)
    expect(dials).to.deep.equal([`/ip4/198.51.100.9/tcp/4001/p2p/${GOOD}`])
  })

  it('leaves one that was not reached alone for a while, however many blobs it should hold', async () => {
    const one = reach({ restMs: 1_000 })
    for (let blob = 0; blob < 100; blob++) expect(await one.reach(BAD)).to.equal(false)
    expect(dials).to.have.length(1)
    elapsed = 1_001
    expect(await one.reach(BAD)).to.equal(false)
    expect(dials).to.have.length(2)
  })

  it('has one of several connected, though others are not reached', async () => {
    await reach().reachAny([BAD, GOOD])
    expect(connected).to.deep.equal(new Set([GOOD]))
    await reach().reachAny([BAD])
  })

  it('dials nothing where a pledge has garbage, another peer, or what strangers must not choose', async () => {
    const abused = ['/ip4/127.0.0.1/tcp/22', '/dns4/example.org/tcp/80', `/ip4/198.51.100.9/tcp/1/p2p/${OTHER}`]
    pledged.set(GOOD, [GARBAGE, ...abused.map(text => multiaddr(text).bytes)])
    expect(await reach().reach(GOOD)).to.equal(false)
    expect(dials).to.deep.equal([])
    // Members of a closed network were let in: a hospital's network is theirs.
    expect(await reach({ isOpen: false }).reach(GOOD)).to.equal(true)
    expect(dials).to.deep.equal(abused.slice(0, 2).map(text => `${text}/p2p/${peerIdFromString(GOOD).toString()}`))
  })
})
