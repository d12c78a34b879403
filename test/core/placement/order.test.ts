import { expect } from 'chai'
import fc from 'fast-check'
import { isAmongFirst, orderOf } from '#core/placement/order.ts'
import { arrivalOf, createPeerTable, drawOf, type PeerTable, type Seed } from '#core/placement/rendezvous.ts'
import { blobs, peer, peers } from '#test/core/placement/peers.ts'

const ids = (table: PeerTable, blob: Seed, count: number): string[] =>
  orderOf(table, blob, count).map(at => table.peers[at]?.id ?? '')

/** The order by its definition, without any short cut. */
function byDefinition(table: PeerTable, blob: Seed, count: number): string[] {
  const all = table.peers
    .map(({ id, seed, weight, operator }) => ({
      id,
      operator: operator === '' ? id : `operator ${operator}`,
      arrival: arrivalOf(drawOf(seed[0], seed[1], blob[0], blob[1]), weight)
    }))
    .sort((a, b) => a.arrival - b.arrival || (a.id < b.id ? -1 : 1))
  const first = all.filter((one, i) => all.findIndex(({ operator }) => operator === one.operator) === i)
  return [...first, ...all.filter(one => !first.includes(one))].slice(0, count).map(({ id }) => id)
}

const somePeers = fc.uniqueArray(
  fc.record({ id: fc.nat(5_000), weight: fc.integer({ min: 1, max: 50 }), operator: fc.nat(6) }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 120 }
)
const build = (list: readonly { id: number; weight: number; operator: number }[], grouped: boolean) =>
  list.map(({ id, weight, operator }) => peer(`n${String(id)}`, weight, grouped ? String(operator) : ''))
const someBlob = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff))

describe('placement: order', () => {
  it('is the order by its definition, however it is found', () => {
    fc.assert(
      fc.property(somePeers, someBlob, fc.integer({ min: 1, max: 9 }), fc.boolean(), (list, blob, count, grouped) => {
        const table = createPeerTable(build(list, grouped))
        expect(ids(table, blob, count)).to.deep.equal(byDefinition(table, blob, count))
      }),
      { numRuns: 300 }
    )
  })

  it('says of each peer whether it is among the first, as the order does', () => {
    fc.assert(
      fc.property(somePeers, someBlob, fc.integer({ min: 1, max: 9 }), fc.boolean(), (list, blob, count, grouped) => {
        const table = createPeerTable(build(list, grouped))
        const first = ids(table, blob, count)
        for (const { id } of table.peers) expect(isAmongFirst(table, blob, count, id)).to.equal(first.includes(id))
      }),
      { numRuns: 200 }
    )
  })

  it('does not depend on the order in which peers became known, nor on hearing of one twice', () => {
    fc.assert(
      fc.property(somePeers, someBlob, fc.nat(), (list, blob, turn) => {
        const one = build(list, true)
        const at = turn % one.length
        const other = [...one.slice(at), ...one.slice(0, at), ...one.slice(0, 1)].reverse()
        expect(ids(createPeerTable(other), blob, 5)).to.deep.equal(ids(createPeerTable(one), blob, 5))
      })
    )
  })

  it('begins a longer list with the shorter one', () => {
    fc.assert(
      fc.property(somePeers, someBlob, fc.boolean(), (list, blob, grouped) => {
        const table = createPeerTable(build(list, grouped))
        expect(ids(table, blob, 9).slice(0, 4)).to.deep.equal(ids(table, blob, 4))
      })
    )
  })

  it('moves nothing but what a peer that comes takes, and what one that goes leaves', () => {
    fc.assert(
      fc.property(somePeers, someBlob, fc.integer({ min: 1, max: 5 }), (list, blob, count) => {
        const all = build(list, false)
        const [comer, ...others] = all
        if (comer == null || others.length === 0) return
        const before = ids(createPeerTable(others), blob, count)
        const after = ids(createPeerTable(all), blob, count)
        if (after.includes(comer.id)) {
          expect(before.slice(0, count - 1)).to.deep.equal(after.filter(id => id !== comer.id).slice(0, before.length))
        } else expect(after).to.deep.equal(before)
      }),
      { numRuns: 300 }
    )
  })

  it('gives no operator two replicas while another has none', () => {
    fc.assert(
      fc.property(somePeers, someBlob, (list, blob) => {
        const table = createPeerTable(build(list, true))
        const operators = orderOf(table, blob, 3).map(at => table.operator[at])
        expect(new Set(operators).size).to.equal(Math.min(operators.length, table.operators))
      })
    )
  })

  it('finds the first of a large network, which looks at a few runners only', () => {
    const table = createPeerTable(peers(500, i => 1 + (i % 5)))
    for (const blob of blobs(60)) expect(ids(table, blob, 3)).to.deep.equal(byDefinition(table, blob, 3))
  })

  it('has an answer for no peers, and for fewer than places', () => {
    expect(orderOf(createPeerTable([]), [1, 2], 3)).to.deep.equal([])
    const two = createPeerTable([...peers(2), peer('unwilling', 0)])
    expect(ids(two, [1, 2], 3)).to.have.members(['p0', 'p1'])
    expect(isAmongFirst(two, [1, 2], 3, 'stranger')).to.equal(false)
  })
})

describe('placement: load', () => {
  const BLOBS = 10_000

  it('loads peers in proportion to what they pledge', () => {
    const table = createPeerTable(peers(40, i => (i < 20 ? 1 : 3)))
    const held = new Map<string, number>()
    for (const blob of blobs(BLOBS)) for (const id of ids(table, blob, 1)) held.set(id, (held.get(id) ?? 0) + 1)
    const mean = BLOBS / table.totalWeight
    for (const { id, weight } of table.peers) {
      const ratio = (held.get(id) ?? 0) / (mean * weight)
      // Six standard deviations of a peer of weight 1, which holds 125.
      expect(Math.abs(ratio - 1)).to.be.below(6 / Math.sqrt(mean))
    }
  })

  it('moves one replica in n when one peer of n comes', () => {
    const n = 50
    const before = createPeerTable(peers(n))
    const after = createPeerTable([...peers(n), peer('new')])
    let moved = 0
    for (const blob of blobs(BLOBS)) {
      const old = ids(before, blob, 3)
      moved += ids(after, blob, 3).filter(id => !old.includes(id)).length
    }
    const expected = (3 * BLOBS) / (n + 1)
    expect(Math.abs(moved - expected)).to.be.below(6 * Math.sqrt(expected))
  })
})
