/** Catches up with what happened while a node was away, with every peer, at the cost of what is missing (docs/specs/sync.md). */
import type { PeerId } from '@libp2p/interface'
import { SalusError, isSalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { differenceIn } from '#core/network/compare-sets.ts'
import {
  decodeSyncRequest,
  encodeSyncMessages,
  encodeSyncNews,
  encodeSyncParts,
  MAX_GET_BYTES,
  MAX_LOOKS,
  MAX_NEWS,
  type SyncRequest
} from '#core/network/sync.ts'
import type { Accept } from '#node/network/accept.ts'
import { PENALTY } from '#node/network/bans.ts'
import type { MessageIds } from '#node/network/message-ids.ts'
import { handleRequests, type AnswerComponents } from '#node/network/request.ts'
import { createSyncCursors, type SyncCursor } from '#node/network/sync-cursors.ts'
import { createSyncIntake, type Taken } from '#node/network/sync-intake.ts'
import { askSync, SYNC_PROTOCOL, type SyncPeer } from '#node/network/sync-peer.ts'
import type { Database } from '#node/store/database.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** Most answers of news in one round: others get their turn. */
const MAX_ROUND_NEWS = 1024

/** Ids behind which comparing sets is cheaper than reading them: most of them are known from other peers. */
const FAR_BEHIND = 4 * MAX_NEWS

/** Prefixes that are asked about for nothing, and for each message found, before a peer is taken for a liar. */
const [FREE_LOOKS, LOOKS_A_FIND] = [4_096, 64]

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
  readonly ids: MessageIds
  /** The id of a message, 32 bytes; throws a SalusError for what is none. */
  readonly identify: (bytes: Uint8Array) => Uint8Array
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
   * Takes in all that a peer has and this node lacks. Returns how many messages were accepted. Two calls for one peer share one round.
   *
   * @throws SalusError `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER`; the `SYNC_*` codes
   */
  pull(peer: PeerId): Promise<number>
}

/** The `/salus/sync/2` service of a node. */
export function createSync(components: SyncComponents, { networkId, intervalMs = 30_000 }: SyncInit): Sync {
  const { libp2p, db, messages, ids, identify, accept, bans, log } = components
  const cursors = createSyncCursors(db)
  const rounds = new Map<string, Promise<number>>()
  const stopping = new AbortController()
  const stopped = (): boolean => stopping.signal.aborted
  const intake = createSyncIntake({ ids, accept, identify, bans, log, isStopped: stopped })
  /** Peers that sent much that was ignored, and until when they rest. */
  const resting = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let unhandle: (() => Promise<void>) | undefined

  async function round(peer: SyncPeer): Promise<number> {
    const count: Taken = { accepted: 0, ignored: 0 }
    let cursor = await cursors.read(peer.id)
    let offered = 0
    await ids.catchUp()
    for (let answers = 0; answers < MAX_ROUND_NEWS && !stopped(); answers++) {
      const { log: theirs, head, ids: news } = await peer.news(cursor)
      // Another log: its positions say nothing about the one we knew.
      const isSame = cursor.log != null && equalBytes(cursor.log, theirs)
      if (!isSame && answers > 0) throw logChanged(peer)
      const after = isSame ? cursor.after : 0
      offered += news.length
      const last = news.at(-1)
      if (answers === 0 && head - after > FAR_BEHIND) {
        const isWhole = await compare(peer, count)
        if (isWhole) await move({ log: theirs, after: head })
      } else if (last == null) {
        if (after < head) await move({ log: theirs, after: head })
        break
      } else {
        const settled = await intake.take(
          peer,
          news.map(({ id }) => toHex(id).slice(2)),
          count
        )
        const before = settled === news.length ? last.position : (news[settled]?.position ?? 1) - 1
        await move({ log: theirs, after: Math.max(after, before) })
        if (settled < news.length || before >= head) break
      }
      // An honest log holds each message once: of what we have, it can repeat no more than there is.
      if (offered > ids.size() + MAX_IGNORED) rest(peer.id)
      if (isTooMuch(peer, count) || isResting(peer.id) || bans.isBanned(peer.id)) break
    }
    return count.accepted

    async function move(to: SyncCursor): Promise<void> {
      cursor = to
      await cursors.write(peer.id, to)
    }
  }

  function logChanged({ id }: SyncPeer): SalusError {
    bans.penalise(id, PENALTY.garbage, 'SYNC_LOG_CHANGED')
    return new SalusError('SYNC_LOG_CHANGED', 'Refused: the peer changed its log while it was read.')
  }

  /** Walks down where the peer's set differs from ours, and takes in what we lack; whether all of it was settled. */
  async function compare(peer: SyncPeer, count: Taken): Promise<boolean> {
    const open = ['']
    let [asked, found, isWhole] = [0, 0, true]
    while (open.length > 0 && !stopped()) {
      // The newest prefixes first: depth first, so that few are open at a time.
      const prefixes = open.splice(-MAX_LOOKS)
      const parts = await peer.look(prefixes)
      asked += prefixes.length
      const lacked: string[] = []
      for (const [i, part] of parts.entries()) {
        const difference = differenceIn(prefixes[i] ?? '', part, ids)
        open.push(...difference.prefixes)
        lacked.push(...difference.ids.filter(id => !intake.isSettled(id)))
      }
      found += lacked.length
      if (lacked.length > 0 && (await intake.take(peer, lacked, count)) < lacked.length) isWhole = false
      if (asked > FREE_LOOKS + LOOKS_A_FIND * found) rest(peer.id)
      if (isTooMuch(peer, count) || isResting(peer.id) || bans.isBanned(peer.id)) return false
    }
    return isWhole && !stopped()
  }

  function isTooMuch({ id }: SyncPeer, { ignored }: Taken): boolean {
    if (ignored < MAX_IGNORED) return false
    rest(id)
    return true
  }

  /** Leaves a peer alone for a while: it is read on from where it was, only slower. */
  function rest(from: string): void {
    resting.delete(from)
    resting.set(from, Date.now() + REST_MS)
    const [oldest] = resting.keys()
    if (resting.size > MAX_RESTING && oldest != null) resting.delete(oldest)
    log.debug({ peer: from }, 'a peer sends what is ignored; it is read slower')
  }

  function isResting(peer: string): boolean {
    return Date.now() < (resting.get(peer) ?? 0)
  }

  async function answer(asked: SyncRequest): Promise<Uint8Array> {
    await ids.catchUp()
    if (asked.kind === 'look') return encodeSyncParts(asked.prefixes.map(prefix => ids.look(prefix)))
    if (asked.kind === 'news') {
      const ours = await messages.id()
      const after = asked.log != null && equalBytes(asked.log, ours) ? asked.after : 0
      return encodeSyncNews({ log: ours, head: ids.head(), ids: await ids.after(after, MAX_NEWS) })
    }
    const found: (Uint8Array | null)[] = []
    let sizeBytes = 0
    for (const id of asked.ids) {
      const bytes = (await ids.get(toHex(id).slice(2))) ?? null
      sizeBytes += bytes?.length ?? 0
      if (found.length > 0 && sizeBytes > MAX_GET_BYTES) break
      found.push(bytes)
    }
    return encodeSyncMessages(found)
  }

  function pull(peer: PeerId): Promise<number> {
    const key = peer.toString()
    const asked = askSync({ libp2p, bans }, peer, networkId, stopping.signal)
    const running = rounds.get(key) ?? round(asked).finally(() => rounds.delete(key))
    rounds.set(key, running)
    return running
  }

  /** A round that nobody waits for: the next one tries again. */
  function pullQuietly(peer: PeerId): void {
    if (bans.isBanned(peer.toString()) || isResting(peer.toString())) return
    pull(peer).catch((error: unknown) => {
      if (stopped() || isSalusError(error, 'PEER_PROTOCOL_UNKNOWN')) return
      log.debug({ peer: peer.toString(), err: error }, 'sync broke off')
    })
  }

  const onConnect = ({ detail }: CustomEvent<PeerId>): void => pullQuietly(detail)

  return {
    pull,
    async start() {
      unhandle = await handleRequests(components, SYNC_PROTOCOL, {
        decode: bytes => decodeSyncRequest(bytes, networkId),
        answer
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
