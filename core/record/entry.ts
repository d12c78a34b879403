/** The public header of an entry (docs/specs/entry.md). */
import type { CID } from 'multiformats/cid'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { DAG_CBOR_CODEC, DAG_PB_CODEC, RAW_CODEC, cidOfCanonical, readSha256Cid } from '#core/record/cid.ts'
import { LAST_DAY } from '#core/record/day.ts'
import { TAG_BYTES } from '#core/record/generation.ts'

const AREA = 'ENTRY'
const LABEL = 'salus/entry/1'
const UINT32_MAX = 0xffff_ffff
const MAX_SIZE_BYTES = 2 ** 40

/** Bytes of an entry's id. */
export const ENTRY_ID_BYTES = 16

/** The most parents one entry may name. */
export const MAX_PARENTS = 16

/** The most bytes a header may have. */
export const MAX_ENTRY_BYTES = 2048

/** Everything that anyone may know about an entry. */
export interface EntryHeader {
  /** Network id, 32 bytes. */
  readonly network: Uint8Array
  /** Patient pseudonym, 32 bytes. */
  readonly patient: Uint8Array
  /** Compartment tag, 16 bytes. */
  readonly tag: Uint8Array
  /** Entry id, 16 bytes, the same in all its revisions. */
  readonly entry: Uint8Array
  /** Counts from 1. */
  readonly revision: number
  /** Headers this one follows, at most 16. */
  readonly parents: readonly CID[]
  /** Number of the generation whose day tree wraps the content key. */
  readonly generation: number
  /** Day of the leaf key, since 1970-01-01 UTC. */
  readonly day: number
  /** The author's Ed25519 public key, 32 bytes. */
  readonly author: Uint8Array
  /** The grant the author writes under; null where the author is the patient. */
  readonly grant: Uint8Array | null
  /** The sealed content. */
  readonly blob: CID
  /** Bytes of the sealed content. */
  readonly sizeBytes: number
}

/** A header as read, with what is needed to check and to name it. */
export interface DecodedEntry {
  readonly header: EntryHeader
  readonly signature: Uint8Array
  /** What the signature covers. */
  readonly signedBytes: Uint8Array
  /** The header's own name: CIDv1, dag-cbor, SHA-256 of its bytes. */
  readonly cid: CID
}

function fieldsOf({ sizeBytes, ...rest }: EntryHeader): Record<string, unknown> {
  return { v: 1, ...rest, size: sizeBytes }
}

/** The bytes of a signed header. */
export function signEntry(p: Primitives, header: EntryHeader, signSeed: Uint8Array): Uint8Array {
  const fields = fieldsOf(header)
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a header. Its signature is checked by {@link verifyEntry}, its author's right by the chain.
 *
 * @throws SalusError `ENTRY_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeEntry(bytes: Uint8Array, expected: Place = {}): DecodedEntry {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ENTRY_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'tag', 'entry', 'revision', 'parents', 'generation', 'day', 'author']
  const map = readMap(value, AREA, [...fields, 'grant', 'blob', 'size', 'sig'])
  const header = {
    ...readPlace(map, AREA, expected),
    tag: readBytes(map['tag'], AREA, 'tag', TAG_BYTES),
    entry: readBytes(map['entry'], AREA, 'entry', ENTRY_ID_BYTES),
    revision: readUint(map['revision'], AREA, 'revision', UINT32_MAX),
    parents: readList(map['parents'], AREA, 'parents', MAX_PARENTS, item =>
      readSha256Cid(item, AREA, 'parents', [DAG_CBOR_CODEC])
    ),
    generation: readUint(map['generation'], AREA, 'generation', UINT32_MAX),
    day: readUint(map['day'], AREA, 'day', LAST_DAY),
    author: readBytes(map['author'], AREA, 'author', 32),
    grant: map['grant'] === null ? null : readBytes(map['grant'], AREA, 'grant', 32),
    blob: readSha256Cid(map['blob'], AREA, 'blob', [RAW_CODEC, DAG_PB_CODEC]),
    sizeBytes: readUint(map['size'], AREA, 'size', MAX_SIZE_BYTES)
  }
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  return { header, signature, signedBytes: signingInput(LABEL, fieldsOf(header)), cid: cidOfCanonical(bytes) }
}

/** Tells whether the author named in the header signed it. */
export function verifyEntry(p: Primitives, { header, signature, signedBytes }: DecodedEntry): boolean {
  return p.ed25519Verify(header.author, signedBytes, signature)
}
