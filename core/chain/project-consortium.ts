/** Organisations and the peers that they list, in the projection. */
import type { ChainEvent } from '#core/chain/events.ts'
import type { Fold } from '#core/chain/fold.ts'
import { readRecord, type NodeListingRecord } from '#core/chain/records.ts'

/** Its events. */
export type ConsortiumEvent = Extract<
  ChainEvent,
  {
    readonly name:
      | 'OrganisationAccredited'
      | 'OrganisationReinstated'
      | 'OrganisationSuspended'
      | 'OrganisationExcluded'
      | 'NodeListed'
      | 'NodePledgeChanged'
      | 'NodeRetired'
  }
>

/** Projects one of them. */
export function projectConsortium(fold: Fold, event: ConsortiumEvent): void {
  const { state, write } = fold
  switch (event.name) {
    case 'OrganisationAccredited':
    case 'OrganisationReinstated':
      write('organisation', event.organisation, { isAccredited: true })
      break
    case 'OrganisationSuspended':
    case 'OrganisationExcluded':
      write('organisation', event.organisation, { isAccredited: false })
      break
    case 'NodeListed': {
      const { organisation, node, peerKey, pledgedBytes, validUntil, nodeProof } = event
      const listing = { organisation, pledgedBytes: String(pledgedBytes), validUntilS: validUntil, proof: nodeProof }
      const others = readRecord(state, 'node', node)?.listings ?? []
      const isRetired = others.find(one => one.organisation === organisation)?.isRetired ?? false
      write('node', node, { peerKey, listings: withListing(others, { ...listing, isRetired }) })
      break
    }
    case 'NodePledgeChanged':
    case 'NodeRetired': {
      const record = readRecord(state, 'node', event.node)
      const listing = record?.listings.find(({ organisation }) => organisation === event.organisation)
      if (record == null || listing == null) break
      const change = event.name === 'NodeRetired' ? { isRetired: true } : { pledgedBytes: String(event.pledgedBytes) }
      write('node', event.node, { ...record, listings: withListing(record.listings, { ...listing, ...change }) })
      break
    }
  }
}

/** The listings with one of them replaced, or added at the end. */
function withListing(listings: readonly NodeListingRecord[], listing: NodeListingRecord): NodeListingRecord[] {
  const at = listings.findIndex(({ organisation }) => organisation === listing.organisation)
  return at < 0 ? [...listings, listing] : listings.with(at, listing)
}
