/** A node's own word that shares may be sealed to these keys (docs/specs/custody.md). */
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_KEY_BUNDLE_BYTES, decodeKeyBundle } from '#core/identity/key-bundle.ts'

const AREA = 'CUSTODIAN_CARD'
const LABEL = 'salus/custodian-card/1'
/** What a libp2p peer id of Ed25519 begins with: an identity multihash of a key type and 32 bytes. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PEER_ID_BYTES = 38

/** The most bytes a card may have. */
export const MAX_CUSTODIAN_CARD_BYTES: number = MAX_KEY_BUNDLE_BYTES + 256

/** Who keeps shares. */
export interface CustodianCard {
  readonly network: Uint8Array
  /** The node's peer id, 38 bytes: it holds the key that signs the card. */
  readonly peer: Uint8Array
  /** Encoded key bundle: shares are sealed to it, and its signing key signs releases, receipts and attestations. */
  readonly bundle: Uint8Array
  /** Id under which the node's log of receipts is anchored on the chain, 32 bytes. */
  readonly log: Uint8Array
}

/** A custodian's keys, derived from the seed of its peer key: nothing more to keep or to back up. */
export async function deriveCustodianKeys(p: Primitives, peerSeed: Uint8Array): Promise<AgentKeys> {
  return await deriveAgentKeys(p, p.hkdfSha256(peerSeed, utf8('salus/custodian/1'), utf8('seed'), 32))
}

/**
 * The bytes of a card.
 *
 * @param peerSeed - seed of the node's Ed25519 peer key, 32 bytes
 */
export function signCustodianCard(p: Primitives, card: Omit<CustodianCard, 'peer'>, peerSeed: Uint8Array): Uint8Array {
  const peer = concat(PEER_ID_PREFIX, p.ed25519PublicKey(peerSeed))
  const fields = { v: 1, network: card.network, peer, bundle: card.bundle, log: card.log }
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(peerSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a card and checks that the peer it names made it.
 *
 * @throws SalusError `CUSTODIAN_CARD_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `CUSTODIAN_CARD_NETWORK`, `CUSTODIAN_CARD_SIGNATURE`, `KEY_BUNDLE_*`
 */
export function readCustodianCard(p: Primitives, bytes: Uint8Array, network: Uint8Array): CustodianCard {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CUSTODIAN_CARD_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'peer', 'bundle', 'log', 'sig'])
  const card = {
    network: readBytes(map['network'], AREA, 'network', 32),
    peer: readBytes(map['peer'], AREA, 'peer', PEER_ID_BYTES),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    log: readBytes(map['log'], AREA, 'log', 32)
  }
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  if (!equalBytes(card.network, network)) {
    throw new SalusError('CUSTODIAN_CARD_NETWORK', 'Refused: this custodian belongs to another network.')
  }
  decodeKeyBundle(card.bundle)
  const isOwn =
    equalBytes(card.peer.subarray(0, PEER_ID_PREFIX.length), PEER_ID_PREFIX) &&
    p.ed25519Verify(card.peer.subarray(PEER_ID_PREFIX.length), signingInput(LABEL, { v: 1, ...card }), signature)
  if (!isOwn) throw new SalusError('CUSTODIAN_CARD_SIGNATURE', 'Refused: the peer that the card names did not make it.')
  return card
}
