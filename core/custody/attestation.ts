/** A keeper's signed word that it erased, and what a patient makes of all keepers' (docs/specs/erasure.md). */
import { isSalusError } from '#core/error.ts'
import { concat, equalBytes, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { MAX_ERASED_ENTRIES } from '#core/custody/erasure.ts'

const AREA = 'ATTESTATION'
const LABEL = 'salus/erasure-attestation/1'
/** What a libp2p peer id of Ed25519 begins with: an identity multihash of a key type and 32 bytes. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PEER_ID_BYTES = 38

/** The most bytes an attestation may have. */
export const MAX_ATTESTATION_BYTES = 512

/** What a keeper attests: none of the entries' slots is in its store, the store's files were rewritten, and none will come back. */
export interface Attestation {
  /** SHA-256 of the encoded erasure. */
  readonly erasure: Uint8Array
  /** Peer id of the keeper, 38 bytes: it holds the key that signs. */
  readonly peer: Uint8Array
  /** How many of the entries it had. */
  readonly had: number
  /** Milliseconds since 1970-01-01, by the keeper's clock. */
  readonly atMs: number
}

function fieldsOf({ erasure, peer, had, atMs }: Attestation): Record<string, unknown> {
  return { v: 1, erasure, peer, had, at: atMs }
}

/**
 * The bytes of a signed attestation.
 *
 * @param peerSeed - seed of the node's Ed25519 peer key, 32 bytes
 */
export function signAttestation(
  p: Primitives,
  attestation: Omit<Attestation, 'peer'>,
  peerSeed: Uint8Array
): Uint8Array {
  const fields = fieldsOf({ ...attestation, peer: concat(PEER_ID_PREFIX, p.ed25519PublicKey(peerSeed)) })
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(peerSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads an attestation; `undefined` in place of one that the peer it names did not sign.
 *
 * @throws SalusError `ATTESTATION_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function readAttestation(p: Primitives, bytes: Uint8Array): Attestation | undefined {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ATTESTATION_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'erasure', 'peer', 'had', 'at', 'sig'])
  const attestation = {
    erasure: readBytes(map['erasure'], AREA, 'erasure', 32),
    peer: readBytes(map['peer'], AREA, 'peer', PEER_ID_BYTES),
    had: readUint(map['had'], AREA, 'had', MAX_ERASED_ENTRIES),
    atMs: readUint(map['at'], AREA, 'at')
  }
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  const { peer } = attestation
  const isOwn =
    equalBytes(peer.subarray(0, PEER_ID_PREFIX.length), PEER_ID_PREFIX) &&
    p.ed25519Verify(peer.subarray(PEER_ID_PREFIX.length), signingInput(LABEL, fieldsOf(attestation)), signature)
  return isOwn ? attestation : undefined
}

/** What is known of an erasure: who attested it, and who is missing. */
export interface ErasureCertificate {
  readonly attested: readonly Attestation[]
  /** Peer ids of keepers that have not attested. */
  readonly missing: readonly Uint8Array[]
  /** Places of attestations that are of something else, of no keeper, or unsigned. */
  readonly wrong: readonly number[]
}

/**
 * Judges attestations of an erasure against all who keep the patient's entries.
 *
 * @param keepers - their peer ids, 38 bytes each
 */
export function certifyErasure(
  p: Primitives,
  erasureBytes: Uint8Array,
  attestations: readonly Uint8Array[],
  keepers: readonly Uint8Array[]
): ErasureCertificate {
  const digest = p.sha256(erasureBytes)
  const expected = new Set(keepers.map(toHex))
  const attested = new Map<string, Attestation>()
  const wrong: number[] = []
  for (const [place, bytes] of attestations.entries()) {
    const read = readOrNot(p, bytes)
    if (read != null && equalBytes(read.erasure, digest) && expected.has(toHex(read.peer))) {
      attested.set(toHex(read.peer), read)
    } else wrong.push(place)
  }
  const missing = keepers.filter(peer => !attested.has(toHex(peer)))
  return { attested: Array.from(attested.values()), missing, wrong }
}

function readOrNot(p: Primitives, bytes: Uint8Array): Attestation | undefined {
  try {
    return readAttestation(p, bytes)
  } catch (error) {
    if (isSalusError(error)) return undefined
    throw error
  }
}
