/** The blob of an entry whose attributes can be opened one by one (docs/specs/attributes.md). */
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readText } from '#core/encoding/shape.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { appendLeaf, createTree, inclusionProof, rangeOf, rangeRoot } from '#core/batch/tree.ts'
import {
  MAX_ATTRIBUTES,
  MAX_ATTRIBUTE_BYTES,
  MIN_PLACES,
  attributeLeaf,
  attributeSalt,
  type Attribute,
  type AttributePlace
} from '#core/record/attributes.ts'
import { SALT_BYTES, openChunked, sealChunked, sealedLength } from '#core/record/chunked.ts'
import type { ContentPlace } from '#core/record/content.ts'
import { pad, unpad } from '#core/record/padding.ts'

const AREA = 'ATTRIBUTE'
const LABEL = 'salus/attributes/1'
/** As long as a salt, which an ordinary blob begins with: none is ever equal to it. */
const MAGIC = concat(utf8('salus/attribute-blob/1'), new Uint8Array(2))
const CELL_SALT = new Uint8Array(SALT_BYTES)
const SIGNATURE_BYTES = 64
const HASH_BYTES = 32
const LEAST_CELL_LOG2 = 8
const MOST_CELL_LOG2 = 12
const PREFIX_BYTES: number = MAGIC.length + 2 + SIGNATURE_BYTES

/** The parts of such a blob; views, not copies. */
export interface AttributeBlob {
  /** The author's signature over the root of the leaves and their place in the record. */
  readonly signature: Uint8Array
  /** The hash of every place, in order. */
  readonly leaves: readonly Uint8Array[]
  readonly cells: readonly Uint8Array[]
  readonly cellBytes: number
  /** The whole content, sealed as in any other blob. */
  readonly whole: Uint8Array
}

/** Puts the cells of all places in front of the sealed whole. */
export function sealAttributes(
  p: Primitives,
  input: {
    readonly place: ContentPlace
    readonly context: Uint8Array
    readonly places: readonly AttributePlace[]
    readonly whole: Uint8Array
    readonly signSeed: Uint8Array
  }
): Uint8Array {
  const { place, context, places, whole, signSeed } = input
  const plain = places.map(({ attribute }) =>
    encodeCanonical([attribute?.path ?? '', attribute?.value ?? new Uint8Array(0)])
  )
  const longest = Math.max(...plain.map(({ length }) => length)) + 4
  const cellLog2 = Math.max(LEAST_CELL_LOG2, Math.ceil(Math.log2(longest)))
  const cells = places.map(({ key }, i) => {
    const plaintext = pad(plain[i] ?? new Uint8Array(0), 2 ** cellLog2)
    return sealChunked(p, { key, salt: CELL_SALT, context, plaintext })
  })
  const leaves = places.map(({ leaf }) => leaf)
  const signature = p.ed25519Sign(signSeed, signedRoot(place, leaves.length, rootOf(p, leaves)))
  return concat(MAGIC, Uint8Array.of(Math.log2(places.length), cellLog2), signature, ...leaves, ...cells, whole)
}

/**
 * The parts of a blob; `null` if it is an ordinary one.
 *
 * @throws SalusError `ATTRIBUTE_TRUNCATED`, `ATTRIBUTE_SHAPE` (numbers that no writer uses)
 */
export function parseAttributeBlob(blob: Uint8Array): AttributeBlob | null {
  if (blob.length < MAGIC.length || !equalBytes(blob.subarray(0, MAGIC.length), MAGIC)) return null
  const [countLog2 = 0, cellLog2 = 0] = blob.subarray(MAGIC.length)
  const count = 2 ** countLog2
  if (count < MIN_PLACES || count > MAX_ATTRIBUTES || cellLog2 < LEAST_CELL_LOG2 || cellLog2 > MOST_CELL_LOG2) {
    throw new SalusError('ATTRIBUTE_SHAPE', 'Refused: no blob has so many attributes, or such long ones.')
  }
  const sealedBytes = sealedLength(2 ** cellLog2)
  const cellsAt = PREFIX_BYTES + count * HASH_BYTES
  const wholeAt = cellsAt + count * sealedBytes
  if (blob.length < wholeAt) throw new SalusError('ATTRIBUTE_TRUNCATED', 'Refused: the blob ends too early.')
  const cut = (from: number, length: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => blob.subarray(from + i * length, from + (i + 1) * length))
  return {
    signature: blob.subarray(MAGIC.length + 2, PREFIX_BYTES),
    leaves: cut(PREFIX_BYTES, HASH_BYTES),
    cells: cut(cellsAt, sealedBytes),
    cellBytes: 2 ** cellLog2,
    whole: blob.subarray(wholeAt)
  }
}

/**
 * Opens one cell and checks that its author signed what is in it.
 *
 * @throws SalusError `ATTRIBUTE_INDEX` (no such place, or an empty one), `ATTRIBUTE_FORGED` (the cell is not what was signed),
 * `ATTRIBUTE_SIGNATURE`, `SEALED_*`, `PADDING_MALFORMED`, and the codes of a canonical list, area `ATTRIBUTE`
 */
export function openCell(
  p: Primitives,
  blob: AttributeBlob,
  at: { readonly index: number; readonly key: Uint8Array; readonly place: ContentPlace; readonly context: Uint8Array }
): { readonly attribute: Attribute; readonly salt: Uint8Array; readonly proof: readonly Uint8Array[] } {
  const { index, key, place, context } = at
  const [cell, leaf] = [blob.cells[index], blob.leaves[index]]
  if (cell == null || leaf == null) throw noSuchPlace()
  const attribute = readCell(unpad(openChunked(p, { key, context, sealed: cell }), blob.cellBytes))
  if (attribute.path === '') throw noSuchPlace()
  const salt = attributeSalt(p, key)
  if (!equalBytes(attributeLeaf(p, salt, attribute), leaf)) {
    throw new SalusError('ATTRIBUTE_FORGED', 'Refused: the author signed another value than this cell holds.')
  }
  checkRoot(p, blob, place)
  const tree = createTree()
  for (const each of blob.leaves) appendLeaf(p, tree, each)
  return { attribute, salt, proof: inclusionProof(p, tree, index, tree.size) }
}

/**
 * Checks, by the whole content, that the leaves stand for its attributes and nothing else.
 *
 * @throws SalusError `ATTRIBUTE_FORGED`, `ATTRIBUTE_SIGNATURE`
 */
export function checkPlaces(
  p: Primitives,
  blob: AttributeBlob,
  places: readonly AttributePlace[],
  place: ContentPlace
): void {
  const agrees =
    places.length === blob.leaves.length &&
    places.every(({ leaf }, i) => equalBytes(leaf, blob.leaves[i] ?? leaf.subarray(1)))
  if (!agrees) throw new SalusError('ATTRIBUTE_FORGED', 'Refused: the attributes are not those of the content.')
  checkRoot(p, blob, place)
}

/** What the author of an entry signs of its attributes. */
export function signedRoot(place: ContentPlace, size: number, root: Uint8Array): Uint8Array {
  const { network, patient, entry, revision, author } = place
  return signingInput(LABEL, { v: 1, network, patient, entry, revision, author, size, root })
}

function checkRoot(p: Primitives, { leaves, signature }: AttributeBlob, place: ContentPlace): void {
  const isSigned = p.ed25519Verify(place.author, signedRoot(place, leaves.length, rootOf(p, leaves)), signature)
  if (!isSigned) throw new SalusError('ATTRIBUTE_SIGNATURE', 'Refused: the author did not sign these attributes.')
}

function rootOf(p: Primitives, leaves: readonly Uint8Array[]): Uint8Array {
  const tree = createTree()
  for (const leaf of leaves) appendLeaf(p, tree, leaf)
  return rangeRoot(p, rangeOf(tree))
}

function readCell(bytes: Uint8Array): Attribute {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: 2 ** MOST_CELL_LOG2 })
  const [path, text, ...rest] = Array.isArray(value) ? (value as unknown[]) : []
  if (rest.length > 0) throw new SalusError('ATTRIBUTE_SHAPE', 'Refused: a cell holds a path and a value.')
  return {
    path: readText(path, AREA, 'path', MAX_ATTRIBUTE_BYTES),
    value: readBytes(text, AREA, 'value', { min: 0, max: MAX_ATTRIBUTE_BYTES })
  }
}

function noSuchPlace(): SalusError {
  return new SalusError('ATTRIBUTE_INDEX', 'Refused: there is no attribute at that place.')
}
