import { expect } from 'chai'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
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
    expect(known.hear(pledge(1, 1, { peerKey: key }))).to.equal('refused')
    expect(known.hear(pledge(1, 1, { network: seedOfPeer(9) }))).to.equal('refused')
    expect(known.hear(new Uint8Array(10))).to.equal('refused')
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
