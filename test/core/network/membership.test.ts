import { expect } from 'chai'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { projectEvents } from '#core/chain/projection.ts'
import type { NodeListingRecord } from '#core/chain/records.ts'
import { createChainView } from '#core/chain/view.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { membershipsOf } from '#core/network/membership.ts'
import { nodeIdOf } from '#core/network/node-listing.ts'

const peerKey = new Uint8Array(32).fill(7)
const node = toHex(nodeIdOf(peerKey))
const organisation: Hex = `0x${'01'.repeat(32)}`
const other: Hex = `0x${'02'.repeat(32)}`
const accredited = (of: Hex): ChainEvent => ({ name: 'OrganisationAccredited', organisation: of })
const listed = (of: Hex, validUntil = 100): ChainEvent => ({
  name: 'NodeListed',
  organisation: of,
  node,
  peerKey: toHex(peerKey),
  pledgedBytes: 2n ** 60n,
  validUntil,
  nodeProof: '0x'
})

describe('membership of a consortium', () => {
  function after(events: readonly ChainEvent[], timeS = 50, isProven = true): boolean {
    return memberships(events, timeS, isProven).length > 0
  }
  function memberships(events: readonly ChainEvent[], timeS = 50, isProven = true): NodeListingRecord[] {
    const rows = new Map<string, string>()
    const state = { get: (key: string) => rows.get(key) }
    for (const event of events) {
      for (const { key, value } of projectEvents(state, [event], 1)) if (value != null) rows.set(key, value)
    }
    return membershipsOf(peerKey, createChainView(state, { blockNumber: 1, blockTimeS: timeS }), () => isProven)
  }

  it('takes an accredited organisation, its listing, and the peer’s own word', () => {
    const both = [accredited(organisation), listed(organisation)]
    expect(after([])).to.equal(false)
    expect(after([listed(organisation)])).to.equal(false)
    expect(after([accredited(organisation)])).to.equal(false)
    expect(after(both)).to.equal(true)
    expect(after(both, 50, false)).to.equal(false)
  })

  it('says who vouches for the peer, first who listed it first', () => {
    const both = [accredited(organisation), accredited(other), listed(other), listed(organisation)]
    expect(memberships(both).map(listing => listing.organisation)).to.deep.equal([other, organisation])
    const left = memberships([...both, { name: 'OrganisationSuspended', organisation: other }])
    expect(left.map(listing => listing.organisation)).to.deep.equal([organisation])
  })

  it('ends with the listing, by the chain’s time', () => {
    const both = [accredited(organisation), listed(organisation, 60)]
    expect(after(both, 59)).to.equal(true)
    expect(after(both, 60)).to.equal(false)
    expect(after([...both, listed(organisation, 70)], 60)).to.equal(true)
  })

  it('ends when the organisation is suspended or excluded, and comes back with it', () => {
    const both = [accredited(organisation), listed(organisation)]
    for (const name of ['OrganisationSuspended', 'OrganisationExcluded'] as const) {
      expect(after([...both, { name, organisation }]), name).to.equal(false)
      expect(after([...both, { name, organisation: other }]), name).to.equal(true)
    }
    const again: ChainEvent = { name: 'OrganisationReinstated', organisation }
    expect(after([...both, { name: 'OrganisationSuspended', organisation }, again])).to.equal(true)
  })

  it('ends when the organisation retires the peer, unless another one lists it', () => {
    const retired: ChainEvent = { name: 'NodeRetired', organisation, node }
    const both = [accredited(organisation), listed(organisation), retired]
    expect(after(both)).to.equal(false)
    expect(after([...both, listed(other)])).to.equal(false)
    expect(after([...both, listed(other), accredited(other)])).to.equal(true)
  })

  it('is not touched by a change of the pledge, or by what is said of strangers', () => {
    const both = [accredited(organisation), listed(organisation)]
    expect(after([...both, { name: 'NodePledgeChanged', organisation, node, pledgedBytes: 5n }])).to.equal(true)
    expect(after([...both, { name: 'NodePledgeChanged', organisation: other, node, pledgedBytes: 5n }])).to.equal(true)
    const stranger: Hex = `0x${'09'.repeat(32)}`
    expect(after([...both, { name: 'NodeRetired', organisation, node: stranger }])).to.equal(true)
  })
})
