/** The questions of `/salus/sync/2`, asked of one peer; what is no answer counts against it (docs/specs/sync.md). */
import type { Libp2p, PeerId } from '@libp2p/interface'
import { isSalusError } from '#core/error.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import type { SetPart } from '#core/network/message-set.ts'
import {
  decodeSyncMessages,
  decodeSyncNews,
  decodeSyncParts,
  encodeSyncRequest,
  MAX_SYNC_ANSWER_BYTES,
  MAX_SYNC_REQUEST_BYTES,
  type SyncNews,
  type SyncRequest
} from '#core/network/sync.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'
import { request, type RequestProtocol } from '#node/network/request.ts'
import type { SyncCursor } from '#node/network/sync-cursors.ts'

/** The protocol. */
export const SYNC_PROTOCOL: RequestProtocol = {
  id: '/salus/sync/2',
  maxRequestBytes: MAX_SYNC_REQUEST_BYTES,
  maxAnswerBytes: MAX_SYNC_ANSWER_BYTES,
  timeoutMs: 20_000
}

/** What asking needs. */
export interface SyncPeerComponents {
  readonly libp2p: Libp2p
  readonly bans: Bans
}

/** A peer that is asked; each question throws `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER` or a `SYNC_*` code. */
export interface SyncPeer {
  /** Its id. */
  readonly id: string
  news(after: SyncCursor): Promise<SyncNews>
  /** At most 64 prefixes. */
  look(prefixes: readonly string[]): Promise<SetPart[]>
  /** At most 256 ids; the first so many messages, null for one that it does not have. */
  get(ids: readonly string[]): Promise<(Uint8Array | null)[]>
}

/** Asks a peer about a network. */
export function askSync(
  { libp2p, bans }: SyncPeerComponents,
  peer: PeerId,
  network: Uint8Array,
  signal: AbortSignal
): SyncPeer {
  const id = peer.toString()

  async function ask<T>(asked: SyncRequest, read: (bytes: Uint8Array) => T): Promise<T> {
    const bytes = await request(libp2p, peer, SYNC_PROTOCOL, encodeSyncRequest(network, asked), { signal })
    try {
      return read(bytes)
    } catch (error) {
      if (isSalusError(error)) bans.penalise(id, PENALTY.garbage, error.code)
      throw error
    }
  }

  return {
    id,
    news: async cursor => ask({ kind: 'news', ...cursor }, bytes => decodeSyncNews(bytes, cursor)),
    look: async prefixes => ask({ kind: 'look', prefixes }, bytes => decodeSyncParts(bytes, prefixes)),
    get: async ids =>
      ask({ kind: 'get', ids: ids.map(digits => fromHex(`0x${digits}`)) }, bytes =>
        decodeSyncMessages(bytes, ids.length)
      )
  }
}
