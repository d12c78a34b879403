/** `/salus/sync/1`: pages of a peer's message log after a cursor (docs/specs/sync.md, vectors in test/vectors/sync.json). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import { MAX_MESSAGE_BYTES } from '#core/network/envelope.ts'

const AREA = 'SYNC'

/** Most bytes of a request. */
export const MAX_SYNC_REQUEST_BYTES = 256

/** Most messages of a page. */
export const MAX_SYNC_PAGE: number = 256

/** Most bytes of the messages of a page, unless it is only one. */
export const MAX_SYNC_PAGE_BYTES: number = 512 * 1024

/** Most bytes of an answer: a page and its framing. */
export const MAX_SYNC_ANSWER_BYTES: number = MAX_SYNC_PAGE_BYTES + MAX_SYNC_PAGE * 16 + 256

/** What is asked. */
export interface SyncRequest {
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  /** Identity of the log that `after` belongs to, 16 bytes, or null where none is known yet. */
  readonly log: Uint8Array | null
  /** Position of the last message that the asker has; 0 for none. */
  readonly after: number
}

/** One page of a log. */
export interface SyncPage {
  /** Identity of the answering log, 16 bytes; another one than asked for means that positions start anew. */
  readonly log: Uint8Array
  /** Position of the newest message of the log. */
  readonly head: number
  /** Messages in order of their positions. */
  readonly messages: readonly { readonly position: number; readonly bytes: Uint8Array }[]
}

/** The canonical bytes of a request. */
export function encodeSyncRequest(request: SyncRequest): Uint8Array {
  return encodeCanonical({ v: 1, ...request })
}

/**
 * Reads a request for a network.
 *
 * @throws SalusError the `SYNC_*` codes of the canonical decoder; `SYNC_SHAPE`, `SYNC_VERSION`, `SYNC_NETWORK`
 */
export function decodeSyncRequest(bytes: Uint8Array, network: Uint8Array): SyncRequest {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SYNC_REQUEST_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'network', 'log', 'after'])
  const asked = readBytes(map['network'], AREA, 'network', 32)
  if (!equalBytes(asked, network)) {
    throw new SalusError('SYNC_NETWORK', 'Refused: the peer belongs to another network (chain or deployment).')
  }
  return {
    network: asked,
    log: map['log'] === null ? null : readBytes(map['log'], AREA, 'log', 16),
    after: readUint(map['after'], AREA, 'after')
  }
}

/** The canonical bytes of a page. */
export function encodeSyncPage({ log, head, messages }: SyncPage): Uint8Array {
  return encodeCanonical({ v: 1, log, head, messages: messages.map(({ position, bytes }) => [position, bytes]) })
}

/**
 * Reads a page: positions rise, and none is past the head.
 *
 * @throws SalusError the `SYNC_*` codes of the canonical decoder; `SYNC_SHAPE`, `SYNC_VERSION`
 */
export function decodeSyncPage(bytes: Uint8Array): SyncPage {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SYNC_ANSWER_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'log', 'head', 'messages'])
  const head = readUint(map['head'], AREA, 'head')
  let last = 0
  const messages = readList(map['messages'], AREA, 'messages', MAX_SYNC_PAGE, item => {
    const [at, message] = readList(item, AREA, 'messages', 2, part => part)
    const position = readUint(at, AREA, 'position', head)
    if (position <= last) throw new SalusError('SYNC_SHAPE', 'Refused: the positions of a page must rise.')
    last = position
    return { position, bytes: readBytes(message, AREA, 'message', { min: 1, max: MAX_MESSAGE_BYTES }) }
  })
  return { log: readBytes(map['log'], AREA, 'log', 16), head, messages }
}

/**
 * Refuses a page that does not answer what was asked: from the same log, everything comes after the position asked for,
 * and within a round the log stays the same.
 *
 * @param asked - the request that it answers
 * @param first - whether it is the first page of a round; then the log may be another one than was known
 * @throws SalusError `SYNC_POSITION`, `SYNC_LOG_CHANGED`
 */
export function checkSyncPage(page: SyncPage, asked: Omit<SyncRequest, 'network'>, first: boolean): void {
  if (asked.log == null || !equalBytes(asked.log, page.log)) {
    if (first) return
    throw new SalusError('SYNC_LOG_CHANGED', 'Refused: the peer changed its log while it was read.')
  }
  if (page.messages.some(({ position }) => position <= asked.after)) {
    throw new SalusError('SYNC_POSITION', 'Refused: the peer sent messages that were not asked for once more.')
  }
}
