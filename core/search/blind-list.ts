/** One posting list of the blind index: sealed names under a tag (docs/specs/blind-index.md). */
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { TAG_BYTES } from '#core/record/generation.ts'
import type { BlindTerm } from '#core/search/blind-terms.ts'

const AREA = 'BLIND_LIST'
const LABEL = 'salus/blind-list/1'
const KEY_LABEL = utf8('salus/blind-index/1/key/')
const SEAL_LABEL = utf8('salus/blind-index/1/seal/')
const NAME_BYTES = 32
const NONCE_BYTES = 12
const GCM_TAG_BYTES = 16
const UINT32_MAX = 0xffff_ffff
const LAST_PART = 0xffff

/** Bytes of a blind tag. */
export const BLIND_TAG_BYTES = 12

/** The fewest names that a list seems to hold: rare and unique values look alike. */
export const MIN_LIST_NAMES = 8

/** The most names of one list; more go into further parts under tags of their own. */
export const MAX_LIST_NAMES = 1024

/** The most bytes a list may have. */
export const MAX_BLIND_LIST_BYTES: number = MAX_LIST_NAMES * NAME_BYTES + 512

/** A list as a node keeps it. */
export interface BlindList {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** Tag of the compartment under its generation, 16 bytes: who may read its entries may ask for its lists. */
  readonly tag: Uint8Array
  readonly generation: number
  /** 12 bytes: names the list, and to who has the key what it lists. */
  readonly blindTag: Uint8Array
  /** Counts from 1; a node keeps the highest. */
  readonly revision: number
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
  /** Ed25519 public key of who made it. */
  readonly author: Uint8Array
}

/** A list with its signature. */
export interface SignedBlindList extends BlindList {
  readonly signature: Uint8Array
}

/** Whose index a list is of. */
export type BlindPlace = Pick<BlindList, 'network' | 'patient' | 'tag' | 'generation'>

/** The key of a compartment's blind index in one generation. It tells tags and opens lists, and no entry. */
export function blindIndexKey(p: Primitives, generationKey: Uint8Array, compartment: Compartment): Uint8Array {
  return p.hmacSha256(generationKey, concat(KEY_LABEL, utf8(compartment)))
}

/** The tag of one part of a term's list: the first 96 bits of a keyed hash. */
export function blindTag(
  p: Primitives,
  indexKey: Uint8Array,
  { field, value, quarter }: BlindTerm,
  part = 0
): Uint8Array {
  return p.hmacSha256(indexKey, encodeCanonical([field, value, quarter, part])).slice(0, BLIND_TAG_BYTES)
}

/**
 * Seals names as one part of a list, padded to a power of two.
 *
 * @throws SalusError `BLIND_LIST_OVERSIZE`
 */
export function sealBlindList(
  p: Primitives,
  random: Random,
  input: {
    readonly place: BlindPlace
    readonly indexKey: Uint8Array
    readonly term: BlindTerm
    readonly part: number
    readonly names: readonly CID[]
    readonly revision: number
    readonly author: Uint8Array
    readonly signSeed: Uint8Array
  }
): Uint8Array {
  const { place, indexKey, term, part, names, revision, author } = input
  if (names.length > MAX_LIST_NAMES || part > LAST_PART) {
    throw new SalusError('BLIND_LIST_OVERSIZE', 'Too many names for one list; begin another part.')
  }
  const size = 2 ** Math.ceil(Math.log2(Math.max(MIN_LIST_NAMES, names.length)))
  const plaintext = new Uint8Array(size * NAME_BYTES)
  names.forEach((name, i) => {
    plaintext.set(name.multihash.digest, i * NAME_BYTES)
  })
  const tagged = blindTag(p, indexKey, term, part)
  const nonce = random(NONCE_BYTES)
  const bound = { ...place, blindTag: tagged, revision }
  const sealed = p.aes256GcmSeal(sealKey(p, indexKey, tagged), nonce, plaintext, encodeCanonical(bound))
  const fields = { v: 1, ...bound, nonce, sealed, author }
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(input.signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a list.
 *
 * @throws SalusError `BLIND_LIST_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeBlindList(bytes: Uint8Array, expected: Place = {}): SignedBlindList {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BLIND_LIST_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'network', 'patient', 'tag', 'generation', 'blindTag', 'revision', 'nonce', 'sealed', 'author']
  const map = readMap(value, AREA, [...fields, 'sig'])
  const longest = MAX_LIST_NAMES * NAME_BYTES + GCM_TAG_BYTES
  const sealed = readBytes(map['sealed'], AREA, 'sealed', { min: GCM_TAG_BYTES, max: longest })
  const names = (sealed.length - GCM_TAG_BYTES) / NAME_BYTES
  if (names < MIN_LIST_NAMES || !Number.isInteger(Math.log2(names))) {
    throw new SalusError('BLIND_LIST_SHAPE', 'Refused: a list’s names are padded to a power of two.')
  }
  return {
    ...readPlace(map, AREA, expected),
    tag: readBytes(map['tag'], AREA, 'tag', TAG_BYTES),
    generation: readUint(map['generation'], AREA, 'generation', UINT32_MAX),
    blindTag: readBytes(map['blindTag'], AREA, 'blindTag', BLIND_TAG_BYTES),
    revision: readUint(map['revision'], AREA, 'revision', UINT32_MAX),
    nonce: readBytes(map['nonce'], AREA, 'nonce', NONCE_BYTES),
    sealed,
    author: readBytes(map['author'], AREA, 'author', 32),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
}

/** Tells whether the author named in the list signed it. */
export function verifyBlindList(p: Primitives, { signature, ...fields }: SignedBlindList): boolean {
  return p.ed25519Verify(fields.author, signingInput(LABEL, { v: 1, ...fields }), signature)
}

/**
 * The names of a list that was asked for by its tag.
 *
 * @throws SalusError `BLIND_LIST_TAG` (another list than was asked for), `BLIND_LIST_KEY` (not sealed by this index's key)
 */
export function openBlindList(p: Primitives, list: BlindList, indexKey: Uint8Array, asked: Uint8Array): CID[] {
  if (!equalBytes(list.blindTag, asked)) throw new SalusError('BLIND_LIST_TAG', 'Refused: this is another list.')
  const { network, patient, tag, generation, revision, nonce, sealed } = list
  const bound = encodeCanonical({ network, patient, tag, generation, blindTag: asked, revision })
  const plaintext = p.aes256GcmOpen(sealKey(p, indexKey, asked), nonce, sealed, bound)
  if (plaintext == null) throw new SalusError('BLIND_LIST_KEY', 'This list was not sealed by the key of this index.')
  const names: CID[] = []
  for (let at = 0; at < plaintext.length; at += NAME_BYTES) {
    const digest = plaintext.slice(at, at + NAME_BYTES)
    if (digest.some(byte => byte !== 0)) names.push(cidOfDigest(DAG_CBOR_CODEC, digest))
  }
  return names
}

function sealKey(p: Primitives, indexKey: Uint8Array, tagged: Uint8Array): Uint8Array {
  return p.hmacSha256(indexKey, concat(SEAL_LABEL, tagged))
}
