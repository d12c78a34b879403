import { expect } from 'chai'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { CID } from 'multiformats/cid'
import { cidOfDigest, RAW_CODEC } from '#core/record/cid.ts'
import { signPledge, type Pledge } from '#core/placement/pledge.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLeases } from '#node/placement/leases.ts'
import { createMembers, idOfKey, type MembersComponents, type MembersInit } from '#node/placement/members.ts'
import { blobOf } from '#test/node/placement/network.ts'

const NETWORK = new Uint8Array(32).fill(7)
const NOW_MS = 1_795_300_000_000

describe('who is there', () => {
  let nowMs = NOW_MS
  let elapsed = 0
  const members = (init: Partial<MembersInit> = {}, components: Partial<MembersComponents> = {}) =>
    createMembers(
      { p, clock: () => nowMs, elapsedMs: () => elapsed, ...components },
      { networkId: NETWORK, deadAfterMs: 1_000, ...init }
    )
  beforeEach(() => {
    nowMs = NOW_MS
    elapsed = 0
  })
  const seedOfPeer = (peer: number): Uint8Array => new Uint8Array(32).fill(peer)
  const idOf = (peer: number): string => idOfKey(p.ed25519PublicKey(seedOfPeer(peer)))
  function pledge(peer: number, sequence: number, change: Partial<Pledge> = {}): Uint8Array {
    const seed = seedOfPeer(peer)
    const whole = {
      network: NETWORK,
      peerKey: p.ed25519PublicKey(seed),
      bytes: 1_000,
      sequence,
      validUntilS: NOW_MS / 1_000 + 3_600,
      operator: '',
      region: '',
      addresses: [],
      ...change
    }
    return signPledge(p, whole, seed)
  }
  const ids = (known: ReturnType<typeof members>): string[] => known.table().peers.map(({ id }) => id)

  it('names peers as libp2p does', () => {
    const key = p.ed25519PublicKey(seedOfPeer(1))
    expect(idOfKey(key)).to.equal(peerIdFromPublicKey(publicKeyFromRaw(key)).toString())
  })

  it('gives up who makes no new pledge, though an old one is shown again and again', () => {
    const known = members()
    const first = pledge(1, 1)
    expect(known.hear(first)).to.equal('new')
    for (elapsed = 0; elapsed < 1_000; elapsed += 100) expect(known.hear(first)).to.equal('known')
    expect(known.hear(pledge(2, 1))).to.equal('new')
    expect(ids(known)).to.deep.equal([idOf(2)])
    elapsed = 1_500
    expect(known.hear(pledge(2, 2))).to.equal('new')
    elapsed = 2_100
    expect(ids(known)).to.deep.equal([idOf(2)])
  })

  it('does not let a dead peer live again by what it said before', () => {
    const known = members()
    known.hear(pledge(1, 7))
    elapsed = 1_001
    expect(ids(known)).to.deep.equal([])
    // Whoever kept its pledges shows them, again and again, for as long as they hold.
    for (const sequence of [7, 6, 1]) expect(known.hear(pledge(1, sequence))).to.equal('known')
    expect(ids(known)).to.deep.equal([])
    expect(known.newsAfter(0, 9).pledges).to.deep.equal([])
    expect(known.hear(pledge(1, 8))).to.equal('new')
    elapsed += 200
    expect(ids(known)).to.deep.equal([idOf(1)])
  })

  it('remembers so many of the dead, and those that died first no longer', () => {
    const known = members({ maxGone: 2 })
    for (const peer of [1, 2, 3]) {
      known.hear(pledge(peer, 5))
      elapsed += 1_001
      known.table()
    }
    expect([1, 2, 3].map(peer => known.hear(pledge(peer, 5)))).to.deep.equal(['new', 'known', 'known'])
  })

  it('keeps its table while peers say that they are there still, and makes another when one pledges otherwise', () => {
    const known = members({ deadAfterMs: 10_000 })
    for (const peer of [1, 2]) known.hear(pledge(peer, 1))
    const table = known.table()
    for (elapsed = 0; elapsed < 5_000; elapsed += 100) {
      known.hear(pledge(1, 2 + elapsed))
      expect(known.table()).to.equal(table)
    }
    known.hear(pledge(1, 9_000, { bytes: 2_000 }))
    expect(known.table()).not.to.equal(table)
    elapsed = 10_000
    expect(ids(known)).to.deep.equal([idOf(1)])
  })

  it('judges the living by its own clock, whatever the clocks of others say', () => {
    for (const skewMs of [-3_600_000, 0, 3_600_000]) {
      nowMs = NOW_MS + skewMs
      const known = members()
      expect(known.hear(pledge(1, 1))).to.equal('new')
      expect(ids(known)).to.deep.equal([idOf(1)])
    }
    nowMs = NOW_MS + 3 * 3_600_000
    expect(members().hear(pledge(1, 1))).to.equal('refused')
  })

  it('lets nobody pledge for another, for another network, or in a broken form', () => {
    const known = members()
    const key = p.ed25519PublicKey(seedOfPeer(2))
    expect(known.hear(pledge(1, 1, { peerKey: key }))).to.equal('forged')
    expect(known.hear(pledge(1, 1, { network: seedOfPeer(9) }))).to.equal('forged')
    expect(known.hear(new Uint8Array(10))).to.equal('forged')
    expect(known.size()).to.equal(0)
  })

  it('has no place for the unwilling, nor for those who did not hold what they should, for a while', () => {
    const known = members({ deadAfterMs: 10_000_000 })
    known.hear(pledge(1, 1, { bytes: 0 }))
    known.hear(pledge(2, 1))
    expect(ids(known)).to.deep.equal([idOf(2)])
    known.distrust(idOf(2))
    expect(ids(known)).to.deep.equal([])
    elapsed = 600_001
    expect(ids(known)).to.deep.equal([idOf(2)])
    known.distrust(idOf(2))
    elapsed += 600_001
    expect(ids(known)).to.deep.equal([])
    known.trust(idOf(2))
    expect(ids(known)).to.deep.equal([idOf(2)])
    known.distrust(idOf(2))
    elapsed += 600_001
    expect(ids(known)).to.deep.equal([idOf(2)])
  })

  it('is not flooded by invented peers: who is there stays', () => {
    const known = members({ maxMembers: 3 })
    for (const peer of [1, 2, 3]) expect(known.hear(pledge(peer, 1))).to.equal('new')
    for (let peer = 4; peer < 40; peer++) expect(known.hear(pledge(peer, 1))).to.equal('refused')
    expect(known.hear(pledge(2, 2))).to.equal('new')
    expect(known.size()).to.equal(3)
  })

  it('takes the registry’s word on operator and bytes, and passes over who is not listed', () => {
    const listedKey = p.ed25519PublicKey(seedOfPeer(1))
    const listed: MembersComponents['listed'] = key =>
      Buffer.from(key).equals(listedKey) ? { operator: 'hospital', bytes: 500 } : undefined
    const known = members({}, { listed })
    expect(known.hear(pledge(1, 1, { operator: 'somebody' }))).to.equal('new')
    expect(known.hear(pledge(2, 1))).to.equal('refused')
    const [only] = known.table().peers
    expect(only).to.include({ operator: 'hospital', weight: 500 })
  })

  it('passes news on in the order in which it came', () => {
    const known = members()
    for (const peer of [1, 2, 3]) known.hear(pledge(peer, 1))
    known.hear(pledge(1, 2))
    const first = known.newsAfter(0, 2)
    expect(first.pledges).to.have.length(2)
    const rest = known.newsAfter(first.next, 9)
    expect(rest.pledges).to.have.length(1)
    expect(rest.pledges[0]).to.deep.equal(pledge(1, 2))
    expect(known.newsAfter(rest.next, 9).pledges).to.deep.equal([])
  })
})

describe('promises to keep', () => {
  it('are refused where there are too many, until some of them end', () => {
    let elapsed = 0
    const leases = createLeases(() => elapsed, 60_000, 100)
    const cidOf = (number: number): CID => {
      const digest = new Uint8Array(32)
      new DataView(digest.buffer).setUint32(0, number)
      return cidOfDigest(RAW_CODEC, digest)
    }
    for (let number = 0; number < 100; number++) leases.promise(cidOf(number), 5_000)
    expect(leases.promise(cidOf(100), 5_000)).to.equal(false)
    // Looked at now and then, not with each request.
    elapsed = 6_000
    expect(leases.promise(cidOf(100), 5_000)).to.equal(false)
    elapsed = 10_000
    expect(leases.promise(cidOf(100), 5_000)).to.equal(true)
  })

  it('keep a blob from being dropped until they end, and begin with one of everything', () => {
    let elapsed = 0
    const leases = createLeases(() => elapsed, 1_000)
    const { cid } = blobOf(10)
    expect(leases.beginDrop(cid)).to.equal(false)
    elapsed = 1_000
    expect(leases.promise(cid, 500)).to.equal(true)
    expect(leases.beginDrop(cid)).to.equal(false)
    elapsed = 1_500
    expect(leases.beginDrop(cid)).to.equal(true)
    expect(leases.promise(cid, 500)).to.equal(false)
    leases.endDrop(cid)
    expect(leases.promise(cid, 1e9)).to.equal(true)
    elapsed = 2_501
    expect(leases.beginDrop(cid)).to.equal(true)
  })
})
