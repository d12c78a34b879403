/** What is sealed inside a capsule: the grant's document and its keys (docs/specs/capsule.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { COMPARTMENTS, readCompartment, type Compartment } from '#core/record/compartment.ts'
import { MAX_COVER_NODES, TREE_DEPTH, isOrderedCover, type CoverNode } from '#core/record/day-tree.ts'
import { TAG_BYTES } from '#core/record/generation.ts'
import { MAX_GRANT_DOCUMENT_BYTES } from '#core/grant/document.ts'

const AREA = 'CAPSULE_KEYS'
const UINT32_MAX = 0xffff_ffff

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

/** Everything a capsule hands over. */
export interface CapsuleContent {
  /** Canonical bytes of the grant document, whose hash is on the chain. */
  readonly document: Uint8Array
  readonly keys: readonly CapsuleKey[]
}

/** The canonical bytes of a capsule's content. */
export function encodeCapsuleContent({ document, keys }: CapsuleContent): Uint8Array {
  return encodeCanonical({ v: 1, document, keys: keys.map(capsuleKeyFields) })
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
  const map = readMap(value, AREA, ['v', 'document', 'keys'])
  return {
    document: readBytes(map['document'], AREA, 'document', { min: 1, max: MAX_GRANT_DOCUMENT_BYTES }),
    keys: readList(map['keys'], AREA, 'keys', MAX_CAPSULE_KEYS, readCapsuleKey)
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
