/** A peer's own word that an organisation may list it, which the chain cannot check (docs/specs/contracts-nodes.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { concat } from '#core/encoding/bytes.ts'
import { keccak256 } from '#core/proof/keccak.ts'

const SIGNING_LABEL = 'salus/node-listing/1'

/** What a libp2p peer id of Ed25519 begins with: an identity multihash of a key type and 32 bytes. */
export const PEER_ID_PREFIX: Uint8Array = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** What a peer agrees to. */
export interface NodeListing {
  readonly chainId: number
  /** Address of `NodeRegistry`, 20 bytes. */
  readonly registry: Uint8Array
  /** Who lists the peer, 32 bytes. */
  readonly organisation: Uint8Array
  /** End of the listing, in seconds since 1970. */
  readonly validUntil: number
}

/** Id of a peer in the registry: keccak-256 of its peer id's bytes. */
export function nodeIdOf(peerKey: Uint8Array): Uint8Array {
  return keccak256(concat(PEER_ID_PREFIX, peerKey))
}

/** The peer's proof, 64 bytes, by the seed of its Ed25519 key. */
export function signNodeListing(p: Primitives, listing: NodeListing, seed: Uint8Array): Uint8Array {
  return p.ed25519Sign(seed, signingInput(SIGNING_LABEL, { ...listing }))
}

/** Whether the holder of a peer's key agreed; a listing of which this is false is to be passed over. */
export function isNodeListingProven(
  p: Primitives,
  listing: NodeListing,
  peerKey: Uint8Array,
  proof: Uint8Array
): boolean {
  return p.ed25519Verify(peerKey, signingInput(SIGNING_LABEL, { ...listing }), proof)
}
