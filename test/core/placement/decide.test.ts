import { expect } from 'chai'
import fc from 'fast-check'
import {
  askedAbout,
  calledUp,
  decide,
  dutyOf,
  mayDrop,
  type BlobFacts,
  type HolderFacts,
  type PlacementRules
} from '#core/placement/decide.ts'
import { orderOf } from '#core/placement/order.ts'
import { createPeerTable, type Seed } from '#core/placement/rendezvous.ts'
import { createQuotaLedger } from '#core/placement/quota.ts'
import { blobs, peers } from '#test/core/placement/peers.ts'

const anyone = (): boolean => true
const RULES: PlacementRules = { replicas: 3, takeOverMs: 1_000 }
const table = createPeerTable(peers(12))
const all = table.peers.map(({ id }) => id)
const order = (seed: Seed): string[] => orderOf(table, seed, 12).map(at => table.peers[at]?.id ?? '')
const [blob = [0, 0] as const] = blobs(1)
const [first = '', second = '', third = '', fourth = '', fifth = ''] = order(blob)
const facts = (change: Partial<BlobFacts> = {}): BlobFacts => ({ seed: blob, here: false, bound: false, ...change })
const found = (holders: readonly string[], missingMs = 0): HolderFacts => ({
  seed: blob,
  holders: new Set(holders),
  missingMs
})

describe('placement: what a node does about a blob', () => {
  it('fetches what it should hold and lacks, and asks after it once it has it', () => {
    expect(decide(RULES, table, first, facts())).to.equal('fetch')
    expect(decide(RULES, table, first, facts({ here: true }))).to.equal('audit')
  })

  it('holds everything where there are no more peers than replicas', () => {
    const few = createPeerTable(peers(3))
    for (const { id } of few.peers) expect(decide(RULES, few, id, facts())).to.equal('fetch')
  })

  it('offers what is not its own, unless it is pinned here or the patient wants it here', () => {
    expect(decide(RULES, table, fifth, facts({ here: true }))).to.equal('offer')
    expect(decide(RULES, table, fifth, facts())).to.equal('none')
    expect(decide(RULES, table, fifth, facts({ here: true, bound: true }))).to.equal('audit')
    expect(decide(RULES, table, fifth, facts({ bound: true }))).to.equal('fetch')
  })

  it('drops only once every one of the first proved that it holds it', () => {
    const may = (me: string, holders: readonly string[], among = table): boolean =>
      mayDrop(RULES, among, me, found(holders), anyone)
    expect(may(fifth, [first, second])).to.equal(false)
    expect(may(fifth, [first, second, fourth])).to.equal(false)
    expect(may(fifth, [first, second, third])).to.equal(true)
    expect(may(first, [second, third, fourth])).to.equal(false)
    expect(may(fifth, [first, second, third], createPeerTable([]))).to.equal(false)
  })

  it('drops nothing while it sees fewer peers than there shall be replicas', () => {
    // As after a partition, at the start, or where the node's own pledge is not there.
    for (const seen of [[first], [first, second]]) {
      const few = createPeerTable(table.peers.filter(({ id }) => seen.includes(id)))
      expect(mayDrop(RULES, few, fifth, found(seen), anyone)).to.equal(false)
    }
  })

  it('drops nothing on the word of peers that anyone could have invented', () => {
    const proven = found([first, second, third])
    for (const stranger of [first, second, third]) {
      expect(mayDrop(RULES, table, fifth, proven, id => id !== stranger)).to.equal(false)
    }
  })

  it('lays the duty to hold a blob on the first alone', () => {
    expect(dutyOf(RULES, table, fifth, blob)).to.deep.equal([first, second, third])
    expect(dutyOf(RULES, table, second, blob)).to.deep.equal([first, third])
  })

  it('leaves a missing replica to the first for their time, then calls one more each time', () => {
    const call = (me: string, others: readonly string[], missingMs: number) =>
      calledUp(RULES, table, me, found(others, missingMs))
    expect(call(first, [second], 999)).to.deep.equal([])
    expect(call(first, [second], 1_000)).to.deep.equal([fourth])
    expect(call(first, [second], 2_500)).to.deep.equal([fourth, fifth])
    expect(call(first, [second, fourth], 9_000)).to.deep.equal([])
    // The second waits a third of the time longer, for the first is there to speak.
    expect(call(second, [first], 1_300)).to.deep.equal([])
    expect(call(second, [first], 1_334)).to.deep.equal([fourth])
    // Whoever should not hold it at all may be the only one who does.
    expect(call(fifth, [], 1_000)).to.deep.equal([fourth])
  })

  it('asks those who should hold a blob and those who may have been called, never itself', () => {
    expect(askedAbout(RULES, table, second, blob)).to.deep.equal(
      order(blob)
        .slice(0, 6)
        .filter(id => id !== second)
    )
  })

  it('comes to rest with exactly the first holding, from any beginning and in any order of turns', () => {
    fc.assert(
      fc.property(
        fc.nat(199),
        fc.subarray(all, { minLength: 1 }),
        fc.array(fc.nat(11), { minLength: 0, maxLength: 60 }),
        (number, holding, turns) => {
          const [seed = blob] = blobs(1, number)
          const has = new Set(holding)
          const everyone = all.map((_, i) => i)
          for (const who of [...turns, ...everyone, ...everyone]) {
            const me = all[who] ?? ''
            const decision = decide(RULES, table, me, { seed, here: has.has(me), bound: false })
            const holders = new Set([...has].filter(id => id !== me))
            if (decision === 'fetch') has.add(me)
            if (decision === 'offer' && mayDrop(RULES, table, me, { seed, holders }, anyone)) has.delete(me)
            expect(has.size).to.be.at.least(Math.min(holding.length, RULES.replicas))
          }
          expect([...has]).to.have.members(order(seed).slice(0, RULES.replicas))
        }
      )
    )
  })

  it('never lets the honest copies fall below the replicas, though views differ, if whoever proved keeps its promise', () => {
    // Each node has a view of its own of who is there; a promise holds to the end of the run.
    fc.assert(
      fc.property(
        fc.nat(199),
        fc.subarray(all, { minLength: 4 }),
        fc.array(fc.subarray(all, { minLength: 3 }), { minLength: 12, maxLength: 12 }),
        fc.array(fc.nat(11), { minLength: 30, maxLength: 60 }),
        (number, holding, views, turns) => {
          const [seed = blob] = blobs(1, number)
          const has = new Set(holding)
          const promised = new Set<string>()
          const least = Math.min(has.size, RULES.replicas)
          for (const who of turns) {
            const me = all[who] ?? ''
            const mine = createPeerTable(table.peers.filter(({ id }) => id === me || views[who]?.includes(id)))
            const decision = decide(RULES, mine, me, { seed, here: has.has(me), bound: false })
            if (decision === 'fetch') has.add(me)
            if (decision !== 'offer') continue
            const holders = new Set(askedAbout(RULES, mine, me, seed).filter(id => has.has(id)))
            for (const id of holders) promised.add(id)
            if (!promised.has(me) && mayDrop(RULES, mine, me, { seed, holders }, anyone)) has.delete(me)
            expect(has.size).to.be.at.least(least)
          }
        }
      )
    )
  })
})

describe('placement: quotas', () => {
  it('turns away what is more than the pledge, or than a patient’s share', () => {
    const ledger = createQuotaLedger({ totalBytes: 100, patientBytes: 60 })
    ledger.add('a', 50)
    expect([ledger.fits('a', 10), ledger.fits('a', 11), ledger.fits('b', 50), ledger.fits('b', 51)]).to.deep.equal([
      true,
      false,
      true,
      false
    ])
    ledger.remove('a', 50)
    expect([ledger.used(), ledger.usedBy('a'), ledger.fits('b', 60)]).to.deep.equal([0, 0, true])
  })
})
