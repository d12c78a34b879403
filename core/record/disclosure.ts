/** One attribute handed to a third party, with proof that its author signed it in that entry (docs/specs/attributes.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import type { Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { nodeHash } from '#core/batch/merkle.ts'
import { signedRoot } from '#core/record/attribute-blob.ts'
import { MAX_ATTRIBUTES, MAX_ATTRIBUTE_BYTES, attributeLeaf, type Attribute } from '#core/record/attributes.ts'
import { MAX_ENTRY_BYTES, decodeEntry, verifyEntry, type EntryHeader } from '#core/record/entry.ts'
import type { OpenedAttribute } from '#core/record/seal-entry.ts'

const AREA = 'DISCLOSURE'

/** The most bytes a disclosure may have. */
export const MAX_DISCLOSURE_BYTES: number = MAX_ENTRY_BYTES + 2 * MAX_ATTRIBUTE_BYTES

/** What a third party learns: one attribute, and the header of the entry it stands in. */
export interface Disclosed extends Attribute {
  readonly header: EntryHeader
}

/** The canonical bytes of a disclosure. They need no key to be checked: hand them to whom the value is for, and nobody else. */
export function encodeDisclosure(headerBytes: Uint8Array, attribute: OpenedAttribute): Uint8Array {
  const { path, value, salt, index, size, proof, signature } = attribute
  return encodeCanonical({ v: 1, header: headerBytes, path, value, salt, index, size, proof, sig: signature })
}

/**
 * Reads a disclosure and checks that the author of the header signed the attribute in that entry. That the author had the
 * right to write it, the evidence of the entry and the chain say.
 *
 * @throws SalusError `DISCLOSURE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `_PROOF` (the attribute is not of that entry), `ENTRY_*`, `ENTRY_SIGNATURE`
 */
export function openDisclosure(p: Primitives, bytes: Uint8Array, expected: Place = {}): Disclosed {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_DISCLOSURE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'header', 'path', 'value', 'salt', 'index', 'size', 'proof', 'sig'])
  const attribute = {
    path: readText(map['path'], AREA, 'path', MAX_ATTRIBUTE_BYTES),
    value: readBytes(map['value'], AREA, 'value', { min: 0, max: MAX_ATTRIBUTE_BYTES })
  }
  const salt = readBytes(map['salt'], AREA, 'salt', 32)
  const size = readUint(map['size'], AREA, 'size', MAX_ATTRIBUTES)
  const index = readUint(map['index'], AREA, 'index', MAX_ATTRIBUTES - 1)
  const proof = readList(map['proof'], AREA, 'proof', Math.log2(MAX_ATTRIBUTES), item =>
    readBytes(item, AREA, 'proof', 32)
  )
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  const entry = decodeEntry(readBytes(map['header'], AREA, 'header', { min: 1, max: MAX_ENTRY_BYTES }), expected)
  if (!verifyEntry(p, entry)) {
    throw new SalusError('ENTRY_SIGNATURE', 'Refused: the header’s signature does not match.')
  }
  const { header } = entry
  const isWhole = index < size && 2 ** proof.length === size
  const root = rootFrom(p, attributeLeaf(p, salt, attribute), index, proof)
  if (!isWhole || !p.ed25519Verify(header.author, signedRoot(header, size, root), signature)) {
    throw new SalusError('DISCLOSURE_PROOF', 'Refused: the author did not sign this attribute in this entry.')
  }
  return { ...attribute, header }
}

/** The root of a complete tree, from one leaf upwards: the number of places is a power of two. */
function rootFrom(p: Primitives, leaf: Uint8Array, index: number, proof: readonly Uint8Array[]): Uint8Array {
  let hash = leaf
  let at = index
  for (const sibling of proof) {
    hash = at % 2 === 1 ? nodeHash(p, sibling, hash) : nodeHash(p, hash, sibling)
    at = at >> 1
  }
  return hash
}
