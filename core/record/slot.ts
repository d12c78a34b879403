/** The erasable place of one entry's content key (docs/specs/slot.md). */
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readMap } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { DAG_CBOR_CODEC, readSha256Cid } from '#core/record/cid.ts'

const AREA = 'SLOT'
const LABEL = 'salus/slot/1'
const WRAP_LABEL = utf8('salus/slot/1/wrap')
const NONCE_BYTES = 12
const WRAPPED_BYTES = 48

/** The most bytes a slot may have. */
export const MAX_SLOT_BYTES = 512

/** A content key, wrapped under the leaf key of the entry's day. */
export interface Slot {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Name of the entry header whose content it opens. */
  readonly entryCid: CID
  /** 12 bytes. */
  readonly nonce: Uint8Array
  /** The 32-byte content key and its 16-byte tag. */
  readonly wrapped: Uint8Array
  /** Ed25519 public key of who wrapped it. */
  readonly author: Uint8Array
  readonly signature: Uint8Array
}

/** What a slot is made of. */
export interface SlotInput {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  readonly entryCid: CID
  /** Leaf key of the entry's day, 32 bytes. */
  readonly leafKey: Uint8Array
  /** 32 bytes. */
  readonly contentKey: Uint8Array
  readonly author: Uint8Array
  readonly signSeed: Uint8Array
}

function fieldsOf({
  network,
  patient,
  entryCid,
  nonce,
  wrapped,
  author
}: Omit<Slot, 'signature'>): Record<string, unknown> {
  return { v: 1, network, patient, entry: entryCid, nonce, wrapped, author }
}

/** A leaf key does nothing but derive: this is the one of its keys that wraps content keys. */
function wrapKey(p: Primitives, leafKey: Uint8Array): Uint8Array {
  return p.hmacSha256(leafKey, WRAP_LABEL)
}

/** Wraps a content key for the entry of that name, and signs the slot. */
export function sealSlot(p: Primitives, random: Random, input: SlotInput): Slot {
  const { network, patient, entryCid, author } = input
  const nonce = random(NONCE_BYTES)
  const wrapped = p.aes256GcmSeal(wrapKey(p, input.leafKey), nonce, input.contentKey, entryCid.bytes)
  const unsigned = { network, patient, entryCid, nonce, wrapped, author }
  return { ...unsigned, signature: p.ed25519Sign(input.signSeed, signingInput(LABEL, fieldsOf(unsigned))) }
}

/** The canonical bytes of a slot. */
export function encodeSlot(slot: Slot): Uint8Array {
  return encodeCanonical({ ...fieldsOf(slot), sig: slot.signature })
}

/**
 * Reads a slot.
 *
 * @param expected - where it must belong; `entryCid` if it must be the slot of one entry
 * @throws SalusError `SLOT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `_NETWORK`, `_PATIENT`, `_ENTRY` (it belongs to another entry)
 */
export function decodeSlot(bytes: Uint8Array, expected: Place & { readonly entryCid?: CID } = {}): Slot {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SLOT_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'patient', 'entry', 'nonce', 'wrapped', 'author', 'sig'])
  const slot = {
    ...readPlace(map, AREA, expected),
    entryCid: readSha256Cid(map['entry'], AREA, 'entry', [DAG_CBOR_CODEC]),
    nonce: readBytes(map['nonce'], AREA, 'nonce', NONCE_BYTES),
    wrapped: readBytes(map['wrapped'], AREA, 'wrapped', WRAPPED_BYTES),
    author: readBytes(map['author'], AREA, 'author', 32),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
  if (expected.entryCid != null && !expected.entryCid.equals(slot.entryCid)) {
    throw new SalusError('SLOT_ENTRY', 'Refused: this slot belongs to another entry.')
  }
  return slot
}

/** Tells whether the author named in the slot signed it. */
export function verifySlot(p: Primitives, slot: Slot): boolean {
  return p.ed25519Verify(slot.author, signingInput(LABEL, fieldsOf(slot)), slot.signature)
}

/**
 * The content key.
 *
 * @throws SalusError `SLOT_KEY` if the leaf key is not the one it was wrapped under
 */
export function openSlot(p: Primitives, slot: Slot, leafKey: Uint8Array): Uint8Array {
  const contentKey = p.aes256GcmOpen(wrapKey(p, leafKey), slot.nonce, slot.wrapped, slot.entryCid.bytes)
  if (contentKey == null) throw new SalusError('SLOT_KEY', 'These keys do not open this entry.')
  return contentKey
}
