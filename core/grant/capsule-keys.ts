/** What is sealed inside a capsule: the grant's document and its keys (docs/specs/capsule.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { COMPARTMENTS, readCompartment, type Compartment } from '#core/record/compartment.ts'
import { MAX_COVER_NODES, TREE_DEPTH, isOrderedCover, type CoverNode } from '#core/record/day-tree.ts'
import { TAG_BYTES } from '#core/record/generation.ts'
import type { CID } from 'multiformats/cid'
import { MAX_GRANT_DOCUMENT_BYTES, MAX_GRANT_ITEMS, MAX_GRANT_PATHS } from '#core/grant/document.ts'
import { MAX_ATTRIBUTES } from '#core/record/attributes.ts'
import { DAG_CBOR_CODEC, readSha256Cid } from '#core/record/cid.ts'

const AREA = 'CAPSULE_KEYS'
const UINT32_MAX = 0xffff_ffff
const MAX_PATH_LENGTH = 256

/** The most generations that one capsule opens, over all compartments. */
export const MAX_CAPSULE_KEYS: number = 32 * COMPARTMENTS.length

/** The most bytes of keys in a capsule. */
export const MAX_CAPSULE_KEYS_BYTES = 40_960

/** The keys of one compartment in one generation for a span of days. */
export interface CapsuleKey {
  readonly compartment: Compartment
  /** The tag that its entries carry, 16 bytes. */
  readonly tag: Uint8Array
  readonly generation: number
  readonly cover: readonly CoverNode[]
}

/** The content key of one revision of one entry. */
export interface EntryKey {
  readonly compartment: Compartment
  /** Name of its header. */
  readonly name: CID
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** The key of one attribute of one revision of one entry. */
export interface AttributeKey extends EntryKey {
  /** JSON pointer. */
  readonly path: string
  /** Its place among the entry's attributes. */
  readonly index: number
}

/** Everything a capsule hands over. */
export interface CapsuleContent {
  /** Canonical bytes of the grant document, whose hash is on the chain. */
  readonly document: Uint8Array
  readonly keys: readonly CapsuleKey[]
  /** Of a grant of single entries. */
  readonly entries?: readonly EntryKey[]
  /** Of a grant of single attributes. */
  readonly attributes?: readonly AttributeKey[]
}

/** The canonical bytes of a capsule's content. */
export function encodeCapsuleContent({ document, keys, entries = [], attributes = [] }: CapsuleContent): Uint8Array {
  const single = {
    ...(entries.length === 0 ? {} : { entries: entries.map(each => [each.compartment, each.name, each.key]) }),
    ...(attributes.length === 0
      ? {}
      : { attributes: attributes.map(each => [each.compartment, each.name, each.key, each.path, each.index]) })
  }
  return encodeCanonical({ v: 1, document, keys: keys.map(capsuleKeyFields), ...single })
}

/** A key as a field of a canonical map; cover nodes are lists `[depth, prefix, key]` to keep it small. */
export function capsuleKeyFields({ compartment, tag, generation, cover }: CapsuleKey): Record<string, unknown> {
  return { compartment, tag, generation, cover: cover.map(node => [node.depth, node.prefix, node.key]) }
}

/**
 * Reads what a capsule held.
 *
 * @throws SalusError `CAPSULE_KEYS_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeCapsuleContent(bytes: Uint8Array): CapsuleContent {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_CAPSULE_KEYS_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'document', 'keys'], ['entries', 'attributes'])
  return {
    document: readBytes(map['document'], AREA, 'document', { min: 1, max: MAX_GRANT_DOCUMENT_BYTES }),
    keys: readList(map['keys'], AREA, 'keys', MAX_CAPSULE_KEYS, readCapsuleKey),
    ...(map['entries'] === undefined ? {} : { entries: readSingle(map['entries'], MAX_GRANT_ITEMS, readEntryKey) }),
    ...(map['attributes'] === undefined
      ? {}
      : { attributes: readSingle(map['attributes'], MAX_GRANT_PATHS, readAttributeKey) })
  }
}

/** A list that is absent rather than empty: one content, one encoding. */
function readSingle<T>(value: unknown, max: number, read: (item: unknown) => T): T[] {
  const list = readList(value, AREA, 'entries', max, read)
  if (list.length === 0) throw new SalusError('CAPSULE_KEYS_SHAPE', 'Refused: a list without keys.')
  return list
}

function readEntryKey(value: unknown): EntryKey {
  const [compartment, name, key, ...rest] = Array.isArray(value) ? (value as unknown[]) : []
  if (rest.length > 0) throw new SalusError('CAPSULE_KEYS_SHAPE', 'Refused: a key of an entry has three parts.')
  return {
    compartment: readCompartment(compartment, AREA),
    name: readSha256Cid(name, AREA, 'name', [DAG_CBOR_CODEC]),
    key: readBytes(key, AREA, 'key', 32)
  }
}

function readAttributeKey(value: unknown): AttributeKey {
  const parts: unknown[] = Array.isArray(value) ? value : []
  const [path, index, ...rest] = parts.slice(3)
  if (rest.length > 0) throw new SalusError('CAPSULE_KEYS_SHAPE', 'Refused: a key of an attribute has five parts.')
  return {
    ...readEntryKey(parts.slice(0, 3)),
    path: readText(path, AREA, 'path', MAX_PATH_LENGTH),
    index: readUint(index, AREA, 'index', MAX_ATTRIBUTES - 1)
  }
}

/**
 * Undoes {@link capsuleKeyFields}.
 *
 * @throws SalusError `CAPSULE_KEYS_SHAPE`
 */
export function readCapsuleKey(value: unknown): CapsuleKey {
  const map = readMap(value, AREA, ['compartment', 'tag', 'generation', 'cover'])
  const cover = readList(map['cover'], AREA, 'cover', MAX_COVER_NODES, readNode)
  if (!isOrderedCover(cover)) {
    throw new SalusError(
      'CAPSULE_KEYS_SHAPE',
      'Refused: a cover’s nodes must lie in the tree, in order, without overlap.'
    )
  }
  return {
    compartment: readCompartment(map['compartment'], AREA),
    tag: readBytes(map['tag'], AREA, 'tag', TAG_BYTES),
    generation: readUint(map['generation'], AREA, 'generation', UINT32_MAX),
    cover
  }
}

function readNode(value: unknown): CoverNode {
  const [depth, prefix, key, ...rest] = Array.isArray(value) ? (value as unknown[]) : []
  if (rest.length > 0) throw new SalusError('CAPSULE_KEYS_SHAPE', 'Refused: a cover node has three parts.')
  return {
    depth: readUint(depth, AREA, 'depth', TREE_DEPTH),
    prefix: readUint(prefix, AREA, 'prefix', 2 ** TREE_DEPTH - 1),
    key: readBytes(key, AREA, 'key', 32)
  }
}
