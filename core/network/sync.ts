/** `/salus/sync/2`: compares what two peers have and hands over what one lacks (docs/specs/sync.md, vectors in test/vectors/sync.json). */
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import { MAX_MESSAGE_BYTES } from '#core/network/envelope.ts'
import { MESSAGE_ID_BYTES } from '#core/network/message-id.ts'
import { FAN_OUT, MARK_BYTES, MAX_LISTED, type SetPart } from '#core/network/message-set.ts'

const AREA = 'SYNC'

/** Most ids in an answer to `news`. */
export const MAX_NEWS: number = 1_024

/** Most prefixes in a request of `look`. */
export const MAX_LOOKS: number = 64

/** Most ids in a request of `get`. */
export const MAX_GETS: number = 256

/** Most bytes of the messages of an answer to `get`, unless it is only one. */
export const MAX_GET_BYTES: number = 512 * 1024

/** Most bytes of a request. */
export const MAX_SYNC_REQUEST_BYTES: number = MAX_GETS * (MESSAGE_ID_BYTES + 2) + 256

/** Most bytes of an answer. */
export const MAX_SYNC_ANSWER_BYTES: number = MAX_GET_BYTES + MAX_GETS * 4 + 256

/** What is asked. */
export type SyncRequest =
  /** The ids of a log after a position. */
  | {
      readonly kind: 'news'
      /** Identity of the log that `after` belongs to, 16 bytes, or null where none is known yet. */
      readonly log: Uint8Array | null
      /** Position of the last id that was read; 0 for none. */
      readonly after: number
    }
  /** What the peer has under some prefixes of ids, in hexadecimal digits. */
  | { readonly kind: 'look'; readonly prefixes: readonly string[] }
  /** Messages by id, 32 bytes each. */
  | { readonly kind: 'get'; readonly ids: readonly Uint8Array[] }

/** Ids of a log in their order. */
export interface SyncNews {
  /** Identity of the answering log, 16 bytes; another one than asked for means that positions start anew. */
  readonly log: Uint8Array
  /** Position of the newest message of the log. */
  readonly head: number
  readonly ids: readonly { readonly position: number; readonly id: Uint8Array }[]
}

/** The canonical bytes of a request to a network. */
export function encodeSyncRequest(network: Uint8Array, request: SyncRequest): Uint8Array {
  return encodeCanonical({ v: 1, network, ...request })
}

/**
 * Reads a request for a network.
 *
 * @throws SalusError the `SYNC_*` codes of the canonical decoder; `SYNC_SHAPE`, `SYNC_VERSION`, `SYNC_NETWORK`
 */
export function decodeSyncRequest(bytes: Uint8Array, network: Uint8Array): SyncRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SYNC_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'kind'], ['log', 'after', 'prefixes', 'ids'])
  if (!equalBytes(readBytes(map['network'], AREA, 'network', 32), network)) {
    throw new SalusError('SYNC_NETWORK', 'Refused: the peer belongs to another network (chain or deployment).')
  }
  const kind = readText(map['kind'], AREA, 'kind', 4)
  if (kind === 'news') {
    readMap(value, AREA, ['v', 'network', 'kind', 'log', 'after'])
    const log = map['log'] === null ? null : readBytes(map['log'], AREA, 'log', 16)
    return { kind, log, after: readUint(map['after'], AREA, 'after') }
  }
  if (kind === 'look') {
    readMap(value, AREA, ['v', 'network', 'kind', 'prefixes'])
    return { kind, prefixes: readList(map['prefixes'], AREA, 'prefixes', MAX_LOOKS, readPrefix) }
  }
  if (kind === 'get') {
    readMap(value, AREA, ['v', 'network', 'kind', 'ids'])
    return { kind, ids: readList(map['ids'], AREA, 'ids', MAX_GETS, readId) }
  }
  throw new SalusError('SYNC_SHAPE', 'Refused: the request asks for something that there is not.')
}

/** The canonical bytes of an answer to `news`. */
export function encodeSyncNews({ log, head, ids }: SyncNews): Uint8Array {
  return encodeCanonical({ v: 1, log, head, ids: ids.map(({ position, id }) => [position, id]) })
}

/**
 * Reads an answer to `news`: positions rise, none is past the head, and from the log that was asked for all come after the one asked for.
 *
 * @throws SalusError the `SYNC_*` codes of the canonical decoder; `SYNC_SHAPE`, `SYNC_VERSION`, `SYNC_POSITION`
 */
export function decodeSyncNews(
  bytes: Uint8Array,
  asked: { readonly log: Uint8Array | null; readonly after: number }
): SyncNews {
  const map = readAnswer(bytes, ['v', 'log', 'head', 'ids'])
  const log = readBytes(map['log'], AREA, 'log', 16)
  const head = readUint(map['head'], AREA, 'head')
  let last = asked.log != null && equalBytes(asked.log, log) ? asked.after : 0
  const ids = readList(map['ids'], AREA, 'ids', MAX_NEWS, item => {
    const [at, id] = readList(item, AREA, 'ids', 2, part => part)
    const position = readUint(at, AREA, 'position', head)
    if (position <= last) throw new SalusError('SYNC_POSITION', 'Refused: the peer sent what was not asked for.')
    last = position
    return { position, id: readId(id) }
  })
  return { log, head, ids }
}

/** The canonical bytes of an answer to `look`: for each prefix a list of ids, or the sixteen marks behind each other. */
export function encodeSyncParts(parts: readonly SetPart[]): Uint8Array {
  return encodeCanonical({
    v: 1,
    parts: parts.map(part =>
      'ids' in part
        ? part.ids.map(id => fromHex(`0x${id}`))
        : fromHex(`0x${part.marks.map(mark => mark.padEnd(2 * MARK_BYTES, '0')).join('')}`)
    )
  })
}

/**
 * Reads an answer to `look`: one part for each prefix, its ids in order and under the prefix.
 *
 * @throws SalusError the `SYNC_*` codes of the canonical decoder; `SYNC_SHAPE`, `SYNC_VERSION`
 */
export function decodeSyncParts(bytes: Uint8Array, prefixes: readonly string[]): SetPart[] {
  const map = readAnswer(bytes, ['v', 'parts'])
  let at = 0
  const parts = readList(map['parts'], AREA, 'parts', prefixes.length, (item): SetPart => {
    const prefix = prefixes[at++] ?? ''
    if (item instanceof Uint8Array) return { marks: readMarks(item, prefix) }
    let last = ''
    const ids = readList(item, AREA, 'ids', MAX_LISTED, value => {
      const id = toHex(readId(value)).slice(2)
      if (!id.startsWith(prefix) || id <= last) throw new SalusError('SYNC_SHAPE', 'Refused: ids are not in order.')
      last = id
      return id
    })
    return { ids }
  })
  if (parts.length !== prefixes.length) throw new SalusError('SYNC_SHAPE', 'Refused: a part is missing.')
  return parts
}

/** The canonical bytes of an answer to `get`: null for what the peer does not have. */
export function encodeSyncMessages(messages: readonly (Uint8Array | null)[]): Uint8Array {
  return encodeCanonical({ v: 1, messages })
}

/**
 * Reads an answer to `get`: the first so many of what was asked for, at least one.
 *
 * @throws SalusError the `SYNC_*` codes of the canonical decoder; `SYNC_SHAPE`, `SYNC_VERSION`
 */
export function decodeSyncMessages(bytes: Uint8Array, count: number): (Uint8Array | null)[] {
  const map = readAnswer(bytes, ['v', 'messages'])
  const messages = readList(map['messages'], AREA, 'messages', count, item =>
    item === null ? null : readBytes(item, AREA, 'message', { min: 1, max: MAX_MESSAGE_BYTES })
  )
  if (messages.length === 0) throw new SalusError('SYNC_SHAPE', 'Refused: the peer answered nothing of what was asked.')
  return messages
}

function readAnswer(bytes: Uint8Array, fields: readonly string[]): Record<string, unknown> {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SYNC_ANSWER_BYTES })
  readVersion(value, AREA)
  return readMap(value, AREA, fields)
}

function readId(value: unknown): Uint8Array {
  return readBytes(value, AREA, 'id', MESSAGE_ID_BYTES)
}

function readPrefix(value: unknown): string {
  const prefix = readText(value, AREA, 'prefix', 2 * MESSAGE_ID_BYTES)
  if (!/^[0-9a-f]*$/.test(prefix)) throw new SalusError('SYNC_SHAPE', 'Refused: a prefix is not hexadecimal.')
  return prefix
}

function readMarks(bytes: Uint8Array, prefix: string): string[] {
  const digits = toHex(readBytes(bytes, AREA, 'marks', FAN_OUT * MARK_BYTES)).slice(2)
  if (prefix.length >= 2 * MESSAGE_ID_BYTES) {
    throw new SalusError('SYNC_SHAPE', 'Refused: a whole id cannot be divided.')
  }
  const nothing = '0'.repeat(2 * MARK_BYTES)
  return Array.from({ length: FAN_OUT }, (_, i) => {
    const mark = digits.slice(2 * MARK_BYTES * i, 2 * MARK_BYTES * (i + 1))
    return mark === nothing ? '' : mark
  })
}
