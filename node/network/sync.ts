/** Catches up with what happened while a node was away: reads every peer's log after the last message it had from it. */
import type { PeerId } from '@libp2p/interface'
import { isSalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import {
  checkSyncPage,
  decodeSyncPage,
  decodeSyncRequest,
  encodeSyncPage,
  encodeSyncRequest,
  MAX_SYNC_ANSWER_BYTES,
  MAX_SYNC_PAGE,
  MAX_SYNC_PAGE_BYTES,
  MAX_SYNC_REQUEST_BYTES,
  type SyncPage
} from '#core/network/sync.ts'
import type { Accept, Verdict } from '#node/network/accept.ts'
import { PENALTY } from '#node/network/bans.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'
import { createSyncCursors, type SyncCursor } from '#node/network/sync-cursors.ts'
import type { Database } from '#node/store/database.ts'
import type { MessageLog } from '#node/store/messages.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/sync/1',
  maxRequestBytes: MAX_SYNC_REQUEST_BYTES,
  maxAnswerBytes: MAX_SYNC_ANSWER_BYTES,
  timeoutMs: 20_000
}

/** Most pages of one peer in one round: others get their turn. */
const MAX_PAGES = 1024

/** Most messages of a round that may be ignored: they cost a peer nothing, and us a look at each. */
const MAX_IGNORED = 512

/** Time for which a peer with more of them is left alone. */
const REST_MS = 60_000

/** Most peers that are remembered to rest. */
const MAX_RESTING = 4096

/** What sync needs besides what every answering protocol does. */
export interface SyncComponents extends AnswerComponents {
  readonly db: Database
  readonly messages: MessageLog
  readonly accept: Accept
}

/** What sync is told. */
export interface SyncInit {
  /** Network identifier, 32 bytes. */
  readonly networkId: Uint8Array
  /** Time between rounds with every connected peer, 30 s unless told; a peer that connects is asked at once. */
  readonly intervalMs?: number
}

/** Serves the node's log to peers and reads theirs. */
export interface Sync {
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Reads a peer's log to its end. Returns how many messages were accepted. Two calls for one peer share one round.
   *
   * @throws SalusError `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER`; the `SYNC_*` codes
   */
  pull(peer: PeerId): Promise<number>
}

/** The `/salus/sync/1` service of a node. */
export function createSync(components: SyncComponents, { networkId, intervalMs = 30_000 }: SyncInit): Sync {
  const { libp2p, db, messages, accept, bans, log } = components
  const cursors = createSyncCursors(db)
  const rounds = new Map<string, Promise<number>>()
  const stopping = new AbortController()
  const stopped = (): boolean => stopping.signal.aborted
  /** Peers that sent much that was ignored, and until when they rest. */
  const resting = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let unhandle: (() => Promise<void>) | undefined

  async function round(peer: PeerId): Promise<number> {
    const from = peer.toString()
    let cursor = await cursors.read(from)
    let accepted = 0
    let ignored = 0
    let known = 0
    for (let pages = 0; pages < MAX_PAGES && !stopped(); pages++) {
      const asked = encodeSyncRequest({ network: networkId, ...cursor })
      const page = readPage(await request(libp2p, peer, PROTOCOL, asked, { signal: stopping.signal }), from, {
        asked: cursor,
        first: pages === 0
      })
      let { after } = cursor
      // Another log: its positions say nothing about the one we knew.
      if (cursor.log == null || !equalBytes(cursor.log, page.log)) after = 0
      let waits = false
      const ours = await messages.head()
      for (const { position, bytes } of page.messages) {
        const verdict = await judge(bytes, from)
        if (verdict.verdict === 'accept') accepted++
        // An honest log holds each message once: of what we have, it can repeat no more than there is.
        else if (verdict.code !== 'MESSAGE_KNOWN' || ++known > ours) ignored++
        waits = verdict.retry === true
        if (waits || bans.isBanned(from) || stopped()) break
        after = position
        if (ignored >= MAX_IGNORED) break
      }
      cursor = { log: page.log, after }
      if (page.messages.length > 0) await cursors.write(from, cursor)
      if (ignored >= MAX_IGNORED) {
        rest(from)
        return accepted
      }
      if (waits || bans.isBanned(from) || page.messages.length === 0 || after >= page.head) break
    }
    return accepted
  }

  /** Leaves a peer alone for a while: it is read on from where it was, only slower. */
  function rest(from: string): void {
    resting.delete(from)
    resting.set(from, Date.now() + REST_MS)
    const [oldest] = resting.keys()
    if (resting.size > MAX_RESTING && oldest != null) resting.delete(oldest)
    log.debug({ peer: from }, 'a peer sends what is ignored; it is read slower')
  }

  function readPage(bytes: Uint8Array, from: string, context: { asked: SyncCursor; first: boolean }): SyncPage {
    try {
      const page = decodeSyncPage(bytes)
      checkSyncPage(page, context.asked, context.first)
      return page
    } catch (error) {
      if (isSalusError(error)) bans.penalise(from, PENALTY.garbage, error.code)
      throw error
    }
  }

  async function judge(bytes: Uint8Array, from: string): Promise<Verdict> {
    try {
      const verdict = await accept(bytes, from)
      if (verdict.verdict === 'reject') bans.penalise(from, PENALTY.garbage, verdict.code ?? 'MESSAGE_REJECTED')
      return verdict
    } catch (error) {
      // Our own trouble, such as a full disk, is not the sender's fault.
      log.error({ err: error }, 'a message could not be judged')
      return { verdict: 'ignore', retry: true }
    }
  }

  function pull(peer: PeerId): Promise<number> {
    const key = peer.toString()
    const running = rounds.get(key) ?? round(peer).finally(() => rounds.delete(key))
    rounds.set(key, running)
    return running
  }

  /** A round that nobody waits for: the next one tries again. */
  function pullQuietly(peer: PeerId): void {
    if (bans.isBanned(peer.toString()) || Date.now() < (resting.get(peer.toString()) ?? 0)) return
    pull(peer).catch((error: unknown) => {
      if (stopped() || isSalusError(error, 'PEER_PROTOCOL_UNKNOWN')) return
      log.debug({ peer: peer.toString(), err: error }, 'sync broke off')
    })
  }

  const onConnect = ({ detail }: CustomEvent<PeerId>): void => pullQuietly(detail)

  return {
    pull,
    async start() {
      unhandle = await handleRequests(components, PROTOCOL, {
        decode: bytes => decodeSyncRequest(bytes, networkId),
        answer: async asked => {
          const ours = await messages.id()
          const after = asked.log != null && equalBytes(asked.log, ours) ? asked.after : 0
          const page = await messages.read(after, MAX_SYNC_PAGE, MAX_SYNC_PAGE_BYTES)
          return encodeSyncPage({ log: ours, head: await messages.head(), messages: page })
        }
      })
      libp2p.addEventListener('peer:connect', onConnect)
      libp2p.getPeers().forEach(pullQuietly)
      timer = setInterval(() => libp2p.getPeers().forEach(pullQuietly), intervalMs)
    },
    async stop() {
      clearInterval(timer)
      libp2p.removeEventListener('peer:connect', onConnect)
      stopping.abort()
      await Promise.allSettled(rounds.values())
      await unhandle?.()
    }
  }
}
