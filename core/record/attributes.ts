/** The attributes of an entry's content and their keys (docs/specs/attributes.md). */
import { SalusError } from '#core/error.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { leafHash } from '#core/batch/merkle.ts'
import { itemsOf, membersOf } from '#core/record/json-slices.ts'

/** The most attributes of one entry. */
export const MAX_ATTRIBUTES = 256

/** The most bytes of a path and its value together; what is longer has no key of its own. */
export const MAX_ATTRIBUTE_BYTES = 4000

/** The fewest places among which attributes hide. */
export const MIN_PLACES = 8

const KEY_LABEL = utf8('salus/attribute/1/key/')
const DUMMY_LABEL = utf8('salus/attribute/1/dummy/')
const SALT_LABEL = utf8('salus/attribute/1/salt')
/** A narrative says in prose what the other attributes say: opening it would open them. */
const NARRATIVE = '/text'

/** One attribute of a content. */
export interface Attribute {
  /** JSON pointer (RFC 6901). */
  readonly path: string
  /** The value's JSON text, as it was written. */
  readonly value: Uint8Array
}

/** A place in the hidden order of an entry's attributes; without an attribute it is there to hide their number. */
export interface AttributePlace {
  readonly attribute: Attribute | null
  /** Opens this place and no other, 32 bytes. */
  readonly key: Uint8Array
  /** Hash of the attribute with its salt, 32 bytes. */
  readonly leaf: Uint8Array
}

/**
 * The attributes of a JSON object: its members, and the items of members that are lists of objects; of NDJSON, its lines.
 *
 * @throws SalusError `ATTRIBUTES_TYPE` for other content, `ATTRIBUTES_JSON`, `ATTRIBUTES_OVERSIZE` (too many)
 */
export function attributesOf({ type, body }: { readonly type: string; readonly body: Uint8Array }): Attribute[] {
  const text = textOf(body)
  const all = isLines(type) ? linesOf(text) : isObject(type) ? partsOf(text) : null
  if (all == null) throw new SalusError('ATTRIBUTES_TYPE', 'Content of this type has no attributes; seal it whole.')
  const attributes = all
    .map(({ path, value }) => ({ path, value: utf8(value) }))
    .filter(({ path, value }) => path !== NARRATIVE && utf8(path).length + value.length <= MAX_ATTRIBUTE_BYTES)
  if (attributes.length <= MAX_ATTRIBUTES) return attributes
  throw new SalusError('ATTRIBUTES_OVERSIZE', 'Too many attributes for one entry; split it, or seal it whole.')
}

/** The key of the attribute at a path. */
export function attributeKey(p: Primitives, contentKey: Uint8Array, path: string): Uint8Array {
  return p.hmacSha256(contentKey, concat(KEY_LABEL, utf8(path)))
}

/** The hash that stands for an attribute: nobody without its key can guess what is in it. */
export function attributeLeaf(p: Primitives, salt: Uint8Array, { path, value }: Attribute): Uint8Array {
  return leafHash(p, encodeCanonical([salt, path, value]))
}

/** The salt of an attribute, which follows from its key. */
export function attributeSalt(p: Primitives, key: Uint8Array): Uint8Array {
  return p.hmacSha256(key, SALT_LABEL)
}

/** All places of an entry, in an order that says nothing of the paths; a power of two of them. */
export function placesOf(p: Primitives, contentKey: Uint8Array, attributes: readonly Attribute[]): AttributePlace[] {
  const places = attributes.map(attribute => placeOf(p, attributeKey(p, contentKey, attribute.path), attribute))
  const count = 2 ** Math.ceil(Math.log2(Math.max(MIN_PLACES, attributes.length)))
  for (let i = places.length; i < count; i++) {
    places.push(placeOf(p, p.hmacSha256(contentKey, concat(DUMMY_LABEL, Uint8Array.of(i >> 8, i & 0xff))), null))
  }
  return places.sort((a, b) => compare(a.leaf, b.leaf))
}

function placeOf(p: Primitives, key: Uint8Array, attribute: Attribute | null): AttributePlace {
  const leaf = attributeLeaf(p, attributeSalt(p, key), attribute ?? { path: '', value: new Uint8Array(0) })
  return { attribute, key, leaf }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

function isLines(type: string): boolean {
  return /^application\/(?:fhir\+)?(?:x-)?ndjson$/.test(type)
}

function isObject(type: string): boolean {
  return /^application\/(?:fhir\+)?json$/.test(type)
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch (cause) {
    throw new SalusError('ATTRIBUTES_JSON', 'The content is not UTF-8 text.', { cause })
  }
}

function linesOf(text: string): { path: string; value: string }[] {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  if (lines.length <= MAX_ATTRIBUTES) for (const line of lines) membersOf(line)
  return lines.map((line, i) => ({ path: `/${String(i)}`, value: line }))
}

function partsOf(text: string): { path: string; value: string }[] {
  return membersOf(text).flatMap(member => {
    const path = `/${member.key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const items = itemsOf(text, member)
    const isListOfObjects = items != null && items.length > 0 && items.every(({ from }) => text[from] === '{')
    const parts = isListOfObjects
      ? items.map((item, i) => ({ path: `${path}/${String(i)}`, ...item }))
      : [{ path, ...member }]
    return parts.map(part => ({ path: part.path, value: text.slice(part.from, part.to) }))
  })
}
