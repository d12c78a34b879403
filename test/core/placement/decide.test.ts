import { expect } from 'chai'
import fc from 'fast-check'
import { askedAbout, decide, heldByFirst, type BlobFacts, type PlacementRules } from '#core/placement/decide.ts'
import { orderOf } from '#core/placement/order.ts'
import { createPeerTable, type Seed } from '#core/placement/rendezvous.ts'
import { createQuotaLedger } from '#core/placement/quota.ts'
import { blobs, peers } from '#test/core/placement/peers.ts'

const RULES: PlacementRules = { replicas: 3, takeOverMs: 1_000 }
const table = createPeerTable(peers(12))
const order = (seed: Seed): string[] => orderOf(table, seed, 12).map(at => table.peers[at]?.id ?? '')
const [blob = [0, 0] as const] = blobs(1)
const [first = '', second = '', third = '', fourth = '', fifth = '', sixth = ''] = order(blob)
const facts = (change: Partial<BlobFacts> = {}): BlobFacts => ({
  seed: blob,
  here: false,
  bound: false,
  holders: new Set(),
  missingMs: 0,
  ...change
})

describe('placement: what a node does about a blob', () => {
  it('keeps what it should hold, and fetches what it lacks, whoever else has it', () => {
    const holders = new Set([second, third, fourth])
    expect(decide(RULES, table, first, facts({ here: true, holders }))).to.equal('keep')
    expect(decide(RULES, table, first, facts({ holders }))).to.equal('fetch')
  })

  it('holds everything where there are no more peers than replicas', () => {
    const few = createPeerTable(peers(3))
    for (const { id } of few.peers) {
      expect(decide(RULES, few, id, facts())).to.equal('fetch')
      const holders = new Set(few.peers.map(peer => peer.id))
      expect(decide(RULES, few, id, facts({ here: true, holders }))).to.equal('keep')
    }
  })

  it('never offers what is pinned here or what the patient wants here', () => {
    const holders = new Set([first, second, third])
    expect(decide(RULES, table, fifth, facts({ here: true, bound: true, holders }))).to.equal('keep')
    expect(decide(RULES, table, fifth, facts({ bound: true, holders }))).to.equal('fetch')
  })

  it('offers what is not its own only once every one of the first proved that it holds it', () => {
    const here = true
    expect(decide(RULES, table, fifth, facts({ here, holders: new Set([first, second]) }))).to.equal('keep')
    expect(decide(RULES, table, fifth, facts({ here, holders: new Set([first, second, fourth]) }))).to.equal('keep')
    expect(decide(RULES, table, fifth, facts({ here, holders: new Set([first, second, third]) }))).to.equal('offer')
  })

  it('leaves a missing replica to the first for their time, then to one more each time', () => {
    const holders = new Set([first, second])
    const at = (me: string, missingMs: number) => decide(RULES, table, me, facts({ holders, missingMs }))
    expect([at(third, 0), at(fourth, 0), at(fourth, 999)]).to.deep.equal(['fetch', 'none', 'none'])
    expect([at(fourth, 1_000), at(fifth, 1_000)]).to.deep.equal(['fetch', 'none'])
    expect([at(fifth, 2_000), at(sixth, 2_000)]).to.deep.equal(['fetch', 'none'])
    const enough = facts({ holders: new Set([first, second, fourth]), missingMs: 9_000 })
    expect(decide(RULES, table, fifth, enough)).to.equal('none')
  })

  it('asks those who should hold a blob and those who may have taken over, never itself', () => {
    expect(askedAbout(RULES, table, second, blob)).to.deep.equal(
      order(blob)
        .slice(0, 7)
        .filter(id => id !== second)
    )
  })

  it('drops nothing that leaves fewer than the replicas, whatever subset of peers holds it', () => {
    fc.assert(
      fc.property(fc.nat(199), fc.subarray(table.peers.map(({ id }) => id)), fc.nat(11), (number, holding, who) => {
        const [seed = blob] = blobs(1, number)
        const me = table.peers[who]?.id ?? ''
        const holders = new Set(holding.filter(id => id !== me))
        const decision = decide(RULES, table, me, facts({ seed, here: true, holders }))
        expect(['keep', 'offer']).to.include(decision)
        if (decision === 'offer') expect(holders.size).to.be.at.least(RULES.replicas)
        if (decision === 'offer') expect(heldByFirst(RULES, table, { seed, holders })).to.equal(RULES.replicas)
      })
    )
  })

  it('comes to rest with exactly the first holding, from any beginning and in any order of turns', () => {
    fc.assert(
      fc.property(
        fc.nat(199),
        fc.subarray(
          table.peers.map(({ id }) => id),
          { minLength: 1 }
        ),
        fc.array(fc.nat(11), { minLength: 0, maxLength: 60 }),
        (number, holding, turns) => {
          const [seed = blob] = blobs(1, number)
          const has = new Set(holding)
          const everyone = table.peers.map((_, i) => i)
          for (const who of [...turns, ...everyone, ...everyone]) {
            const me = table.peers[who]?.id ?? ''
            const holders = new Set([...has].filter(id => id !== me))
            const decision = decide(RULES, table, me, facts({ seed, here: has.has(me), holders }))
            if (decision === 'fetch') has.add(me)
            if (decision === 'offer') has.delete(me)
            expect(has.size).to.be.at.least(Math.min(holding.length, RULES.replicas))
          }
          expect([...has]).to.have.members(order(seed).slice(0, RULES.replicas))
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
