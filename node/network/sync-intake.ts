/** Takes in messages that a peer offers by id: each is fetched once, whoever offers it, and judged before it counts (docs/specs/sync.md). */
import { setTimeout as pause } from 'node:timers/promises'
import { SalusError, isSalusError } from '#core/error.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { MAX_GETS } from '#core/network/sync.ts'
import type { Log } from '#node/log.ts'
import type { Accept, Verdict } from '#node/network/accept.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'
import type { MessageIds } from '#node/network/message-ids.ts'
import type { SyncPeer } from '#node/network/sync-peer.ts'

/** What came of the messages that a peer offered. */
export interface Taken {
  accepted: number
  /** Offered and not wanted, or offered and not there: it costs a peer nothing, and us a look at each. */
  ignored: number
}

/** Takes in what peers offer. */
export interface SyncIntake {
  /** Whether there is nothing to fetch under an id: the message is here, or was refused for good. */
  isSettled(id: string): boolean
  /**
   * Fetches and judges messages in their order, as far as it goes.
   *
   * @param count - counts what came of them
   * @returns how many of the ids, from the first on, are settled
   * @throws SalusError `SYNC_OTHER_MESSAGE` where the peer sends another message than was asked for; as {@link SyncPeer}
   */
  take(peer: SyncPeer, ids: readonly string[], count: Taken): Promise<number>
}

/** What it needs. */
export interface SyncIntakeComponents {
  readonly ids: MessageIds
  readonly accept: Accept
  readonly identify: (bytes: Uint8Array) => Uint8Array
  readonly bans: Bans
  readonly log: Log
  readonly isStopped: () => boolean
}

/** Messages judged at a time: they share the flushes of the disk. */
const WINDOW = 32
/** Most ids that are remembered to have been refused for good. */
const MAX_REFUSED = 65_536
/** Most time for which one peer's answers are waited for before another one is asked for the same, ms. */
const MAX_WAIT_MS = 30_000

/** An intake over the ids of a log. */
export function createSyncIntake(components: SyncIntakeComponents): SyncIntake {
  const { ids: ours, accept, identify, bans, log, isStopped } = components
  const refused = new Set<string>()
  /** What is being fetched, by id, until it is settled or given up. */
  const claimed = new Map<string, Promise<void>>()

  const isSettled = (id: string): boolean => ours.has(id) || refused.has(id)

  function refuse(id: string): void {
    refused.add(id)
    const [oldest] = refused
    if (refused.size > MAX_REFUSED && oldest != null) refused.delete(oldest)
  }

  /** Judges one message; whether it is settled. */
  async function settle(from: string, id: string, bytes: Uint8Array | null, count: Taken): Promise<boolean> {
    if (bytes == null) {
      count.ignored++
      return true
    }
    if (!isNamed(bytes, id)) {
      bans.penalise(from, PENALTY.garbage, 'SYNC_OTHER_MESSAGE')
      throw new SalusError('SYNC_OTHER_MESSAGE', 'Refused: the peer sent another message than it was asked for.')
    }
    const { verdict, code, retry } = await judge(bytes, from)
    if (verdict === 'accept') count.accepted++
    else if (code !== 'MESSAGE_KNOWN') count.ignored++
    if (retry === true) return false
    // An id names the signed header only: what was spoilt beside it says nothing about another peer's copy.
    if (verdict === 'ignore' && code !== 'MESSAGE_KNOWN') refuse(id)
    return true
  }

  function isNamed(bytes: Uint8Array, id: string): boolean {
    try {
      return toHex(identify(bytes)).slice(2) === id
    } catch (error) {
      if (isSalusError(error)) return false
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

  /** Fetches some ids; those that are settled afterwards. */
  async function fetch(peer: SyncPeer, ids: readonly string[], count: Taken, settled: Set<string>): Promise<void> {
    for (let from = 0; from < ids.length;) {
      const asked = ids.slice(from, from + MAX_GETS)
      const messages = await peer.get(asked)
      for (let at = 0; at < messages.length; at += WINDOW) {
        if (isStopped() || bans.isBanned(peer.id)) return
        const window = asked.slice(at, Math.min(at + WINDOW, messages.length))
        const outcomes = await Promise.all(
          window.map(async (id, i) => settle(peer.id, id, messages[at + i] ?? null, count))
        )
        for (const [i, isIt] of outcomes.entries()) if (isIt) settled.add(window[i] ?? '')
      }
      from += messages.length
    }
  }

  return {
    isSettled,
    async take(peer, ids, count) {
      const settled = new Set<string>()
      const mine = ids.filter(id => !isSettled(id) && !claimed.has(id))
      const others = ids.flatMap(id => claimed.get(id) ?? [])
      const fetched = fetch(peer, mine, count, settled)
      const over = fetched.catch(() => undefined)
      for (const id of mine) claimed.set(id, over)
      try {
        await fetched
      } finally {
        for (const id of mine) claimed.delete(id)
      }
      // Whoever fetches the rest has its own claims settled before it waits for ours; but a peer that dawdles holds up no other.
      await Promise.race([Promise.all(others), pause(MAX_WAIT_MS, undefined, { ref: false })])
      await ours.catchUp()
      const left = ids.filter(id => !settled.has(id) && !isSettled(id) && !mine.includes(id))
      if (left.length > 0) await fetch(peer, left, count, settled)
      await ours.catchUp()
      const open = ids.findIndex(id => !settled.has(id) && !isSettled(id))
      return open < 0 ? ids.length : open
    }
  }
}
