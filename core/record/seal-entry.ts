/** Sealing and opening one entry (docs/specs/sealing.md). */
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { checkPlaces, openCell, parseAttributeBlob, sealAttributes } from '#core/record/attribute-blob.ts'
import { attributesOf, placesOf, type Attribute } from '#core/record/attributes.ts'
import { blobCid } from '#core/record/blob-cid.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import { compress, decompress } from '#core/record/compression.ts'
import { MAX_CONTENT_BYTES, openContent, signContent, type Content } from '#core/record/content.ts'
import {
  ENTRY_ID_BYTES,
  decodeEntry,
  signEntry,
  verifyEntry,
  type DecodedEntry,
  type EntryHeader
} from '#core/record/entry.ts'
import { pad, unpad } from '#core/record/padding.ts'
import { decodeSlot, encodeSlot, openSlot, sealSlot, verifySlot } from '#core/record/slot.ts'

/** What an entry is sealed from. */
export interface EntryInput {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Tag of the compartment under this generation, 16 bytes. */
  readonly tag: Uint8Array
  readonly generation: number
  /** Day of the leaf key. */
  readonly day: number
  /** Leaf key of that day, 32 bytes. */
  readonly leafKey: Uint8Array
  readonly author: Pick<AgentKeys, 'signSeed' | 'bundle'>
  /** The grant written under; null where the author is the patient. */
  readonly grant: Uint8Array | null
  readonly content: Content
  /** Id of the entry this revises; a new one if absent. */
  readonly entry?: Uint8Array
  /** Counts from 1, the default. */
  readonly revision?: number
  readonly parents?: readonly CID[]
  /** Seals each attribute under a key of its own as well (docs/specs/attributes.md). */
  readonly attributes?: boolean
}

/** The three parts of a sealed entry and the header's name. */
export interface SealedEntry {
  readonly headerBytes: Uint8Array
  readonly slotBytes: Uint8Array
  readonly blob: Uint8Array
  readonly cid: CID
}

/** An opened entry. */
export interface OpenedEntry {
  readonly header: EntryHeader
  readonly cid: CID
  readonly content: Content
}

type Context = Pick<EntryHeader, 'network' | 'patient' | 'tag' | 'entry' | 'revision' | 'generation' | 'author'>

/** Binds ciphertext to its place: moved to another patient, compartment, entry, revision or author it does not open. */
function contextOf({ network, patient, tag, entry, revision, generation, author }: Context): Uint8Array {
  return encodeCanonical({ v: 1, network, patient, tag, entry, revision, generation, author })
}

/** Signs, packs, pads and seals content under a fresh content key, and wraps that key for its day. */
export function sealEntry(p: Primitives, random: Random, input: EntryInput): SealedEntry {
  const { network, patient, tag, generation, day, leafKey, grant, content } = input
  const { signSeed } = input.author
  const author = input.author.bundle.sign
  const place = {
    network,
    patient,
    entry: input.entry ?? random(ENTRY_ID_BYTES),
    revision: input.revision ?? 1,
    author
  }
  const contentKey = random(32)
  const context = contextOf({ ...place, tag, generation })
  const plaintext = pad(compress(signContent(p, place, content, signSeed)))
  const whole = sealChunked(p, { key: contentKey, salt: random(SALT_BYTES), context, plaintext })
  const blob =
    input.attributes === true
      ? sealAttributes(p, { place, context, whole, signSeed, places: placesOf(p, contentKey, attributesOf(content)) })
      : whole
  const named = { blob: blobCid(p, blob), sizeBytes: blob.length }
  const header = { ...place, tag, generation, day, grant, parents: input.parents ?? [], ...named }
  const headerBytes = signEntry(p, header, signSeed)
  const { cid } = decodeEntry(headerBytes, { network, patient })
  const slot = sealSlot(p, random, { network, patient, entryCid: cid, leafKey, contentKey, author, signSeed })
  return { headerBytes, slotBytes: encodeSlot(slot), blob, cid }
}

/** A header and its blob, with where the reader expects them to belong. */
interface SealedPair {
  readonly headerBytes: Uint8Array
  readonly blob: Uint8Array
  readonly network?: Uint8Array
  readonly patient?: Uint8Array
}

/** A header with its slot, and the leaf key of its day. */
interface SlotInput {
  readonly headerBytes: Uint8Array
  readonly slotBytes: Uint8Array
  readonly leafKey: Uint8Array
}

/**
 * Checks and opens an entry. What comes out of decryption is checked like what came in. Whose key the author's is this does
 * not tell: readers of records go through `openAsPatient` or `openAsGrantee`, which prove it.
 *
 * @param input - `tag`: the compartment tag that the reader expects; `network` and `patient`: whose record it reads
 * @throws SalusError `ENTRY_*`, `SLOT_*`, `SEALED_*`, `PADDING_MALFORMED`, `CONTENT_*`; `ENTRY_SIGNATURE`, `ENTRY_TAG`,
 * `ENTRY_BLOB` (not the blob the header names), `SLOT_SIGNATURE`, `SLOT_AUTHOR` (wrapped by someone else), `ATTRIBUTE_*`
 */
export function openEntry(p: Primitives, input: SealedPair & SlotInput & { readonly tag: Uint8Array }): OpenedEntry {
  const { header, cid } = checkPair(p, input)
  refuseUnless(equalBytes(header.tag, input.tag), 'ENTRY_TAG', 'the entry belongs to another compartment')
  return { header, cid, content: openWhole(p, header, input.blob, openContentKey(p, input)) }
}

/**
 * Opens one entry by its own content key, which a grant of that entry holds.
 *
 * @throws SalusError as {@link openEntry}, but for slot and tag
 */
export function openEntryWithKey(p: Primitives, input: SealedPair & { readonly contentKey: Uint8Array }): OpenedEntry {
  const { header, cid } = checkPair(p, input)
  return { header, cid, content: openWhole(p, header, input.blob, input.contentKey) }
}

/** One attribute that was opened, with what proves to a third party that its author signed it. */
export interface OpenedAttribute extends Attribute {
  readonly header: EntryHeader
  readonly cid: CID
  readonly salt: Uint8Array
  readonly index: number
  /** Number of places, attributes or not. */
  readonly size: number
  readonly proof: readonly Uint8Array[]
  /** The author's signature over the root of all places. */
  readonly signature: Uint8Array
}

/**
 * Opens one attribute by its own key; the rest of the entry stays shut.
 *
 * @throws SalusError `ENTRY_*`, `ATTRIBUTE_*`, `SEALED_*`, `PADDING_MALFORMED`; `ATTRIBUTE_NONE` (an entry sealed whole)
 */
export function openAttribute(
  p: Primitives,
  input: SealedPair & { readonly index: number; readonly key: Uint8Array }
): OpenedAttribute {
  const { header, cid } = checkPair(p, input)
  const { index, key } = input
  const parsed = parseAttributeBlob(input.blob)
  if (parsed == null) throw new SalusError('ATTRIBUTE_NONE', 'The entry was sealed whole and has no attributes.')
  const { attribute, salt, proof } = openCell(p, parsed, { index, key, place: header, context: contextOf(header) })
  return { ...attribute, header, cid, salt, index, size: parsed.leaves.length, proof, signature: parsed.signature }
}

/**
 * The content key of an entry: what a grant of that one entry hands over, and its attributes' keys derive from.
 *
 * @throws SalusError `ENTRY_*`, `SLOT_*`
 */
export function openContentKey(p: Primitives, { headerBytes, slotBytes, leafKey }: SlotInput): Uint8Array {
  const { header, cid } = decodeEntry(headerBytes)
  const slot = decodeSlot(slotBytes, { network: header.network, patient: header.patient, entryCid: cid })
  refuseUnless(equalBytes(slot.author, header.author), 'SLOT_AUTHOR', 'the slot was made by someone else')
  refuseUnless(verifySlot(p, slot), 'SLOT_SIGNATURE', 'the slot’s signature does not match')
  return openSlot(p, slot, leafKey)
}

/** Checks header and blob against each other. */
function checkPair(p: Primitives, input: SealedPair): DecodedEntry {
  const decoded = decodeEntry(input.headerBytes, input)
  const { header } = decoded
  refuseUnless(verifyEntry(p, decoded), 'ENTRY_SIGNATURE', 'the header’s signature does not match')
  const isNamed = input.blob.length === header.sizeBytes && blobCid(p, input.blob).equals(header.blob)
  refuseUnless(isNamed, 'ENTRY_BLOB', 'these bytes are not the ones that the header names; fetch them again')
  return decoded
}

function openWhole(p: Primitives, header: EntryHeader, blob: Uint8Array, key: Uint8Array): Content {
  const parsed = parseAttributeBlob(blob)
  const padded = openChunked(p, { key, context: contextOf(header), sealed: parsed?.whole ?? blob })
  const content = openContent(p, decompress(unpad(padded), MAX_CONTENT_BYTES), header)
  if (parsed != null) checkPlaces(p, parsed, placesOf(p, key, attributesOf(content)), header)
  return content
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
