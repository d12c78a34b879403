/** Which peers a consortium has, by what its chain says (docs/specs/admission.md): pure over the chain as it was followed. */
import type { NodeListingRecord } from '#core/chain/records.ts'
import type { ChainView } from '#core/chain/view.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { nodeIdOf } from '#core/network/node-listing.ts'

/**
 * The listings that make a peer a member now, in the order in which the organisations first listed it; none where it is no member.
 *
 * @param peerKey - the peer's Ed25519 key, 32 bytes
 * @param isProven - whether the peer itself agreed to a listing (`isNodeListingProven`); asked last, for it costs most
 */
export function membershipsOf(
  peerKey: Uint8Array,
  chain: ChainView,
  isProven: (listing: NodeListingRecord) => boolean
): NodeListingRecord[] {
  const { listings = [] } = chain.node(toHex(nodeIdOf(peerKey))) ?? {}
  return listings.filter(
    listing =>
      // The organisation did not take the peer off its list.
      !listing.isRetired &&
      // The listing has not ended by the chain's time.
      chain.blockTimeS < listing.validUntilS &&
      // Governance vouches for the organisation.
      chain.isAccredited(listing.organisation) &&
      isProven(listing)
  )
}
