/** What is asked of a node that keeps blind lists, and what it answers (docs/specs/blind-index.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { MAX_READ_REQUEST_BYTES } from '#core/grant/read-request.ts'
import { TAG_BYTES } from '#core/record/generation.ts'
import { BLIND_TAG_BYTES, MAX_BLIND_LIST_BYTES } from '#core/search/blind-list.ts'

const AREA = 'BLIND_CALL'
const MAX_CALL_LISTS = 64
const UINT32_MAX = 0xffff_ffff

/** The most bytes of an upload or an answer. */
export const MAX_BLIND_CALL_BYTES: number = MAX_CALL_LISTS * (MAX_BLIND_LIST_BYTES + 8) + MAX_READ_REQUEST_BYTES + 256

/** Lists that changed; more than 64 take several calls. */
export interface BlindUpload {
  /** The patient's own read request to this node: it shows whose keys sign the lists. */
  readonly authorization: Uint8Array
  readonly lists: readonly Uint8Array[]
}

/** A search: lists by their tags. */
export interface BlindQuery {
  /** A read request to this node. */
  readonly authorization: Uint8Array
  /** Tag of the compartment. */
  readonly tag: Uint8Array
  readonly generation: number
  readonly blindTags: readonly Uint8Array[]
}

/** The canonical bytes of an upload. */
export function encodeBlindUpload({ authorization, lists }: BlindUpload): Uint8Array {
  return encodeCanonical({ v: 1, authorization, lists: [...lists] })
}

/**
 * Reads an upload; lists have checks of their own.
 *
 * @throws SalusError `BLIND_CALL_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`
 */
export function decodeBlindUpload(bytes: Uint8Array): BlindUpload {
  const map = readFields(bytes, ['v', 'authorization', 'lists'])
  const lists = readList(map['lists'], AREA, 'lists', MAX_CALL_LISTS, item =>
    readBytes(item, AREA, 'lists', { min: 1, max: MAX_BLIND_LIST_BYTES })
  )
  refuseUnless(lists.length > 0)
  return { authorization: readAuthorization(map), lists }
}

/** The canonical bytes of a search. */
export function encodeBlindQuery({ authorization, tag, generation, blindTags }: BlindQuery): Uint8Array {
  return encodeCanonical({ v: 1, authorization, tag, generation, blindTags: [...blindTags] })
}

/**
 * Reads a search.
 *
 * @throws SalusError as {@link decodeBlindUpload}
 */
export function decodeBlindQuery(bytes: Uint8Array): BlindQuery {
  const map = readFields(bytes, ['v', 'authorization', 'tag', 'generation', 'blindTags'])
  const blindTags = readList(map['blindTags'], AREA, 'blindTags', MAX_CALL_LISTS, item =>
    readBytes(item, AREA, 'blindTags', BLIND_TAG_BYTES)
  )
  refuseUnless(blindTags.length > 0)
  return {
    authorization: readAuthorization(map),
    tag: readBytes(map['tag'], AREA, 'tag', TAG_BYTES),
    generation: readUint(map['generation'], AREA, 'generation', UINT32_MAX),
    blindTags
  }
}

/** The canonical bytes of an answer: the lists in the order in which they were asked for, null where there is none. */
export function encodeBlindAnswer(lists: readonly (Uint8Array | null)[]): Uint8Array {
  return encodeCanonical({ v: 1, lists: [...lists] })
}

/**
 * Reads an answer.
 *
 * @throws SalusError as {@link decodeBlindUpload}
 */
export function decodeBlindAnswer(bytes: Uint8Array): (Uint8Array | null)[] {
  return readList(readFields(bytes, ['v', 'lists'])['lists'], AREA, 'lists', MAX_CALL_LISTS, item =>
    item === null ? null : readBytes(item, AREA, 'lists', { min: 1, max: MAX_BLIND_LIST_BYTES })
  )
}

function readFields(bytes: Uint8Array, fields: readonly string[]): Record<string, unknown> {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BLIND_CALL_BYTES })
  readVersion(value, AREA)
  return readMap(value, AREA, fields)
}

function readAuthorization(map: Record<string, unknown>): Uint8Array {
  return readBytes(map['authorization'], AREA, 'authorization', { min: 1, max: MAX_READ_REQUEST_BYTES })
}

function refuseUnless(isSome: boolean): void {
  if (!isSome) throw new SalusError('BLIND_CALL_SHAPE', 'Refused: the call names no list.')
}
