/** Takes messages in: judges them, keeps them durably, and only then says so (docs/specs/acceptance.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { isSalusError } from '#core/error.ts'
import { acceptedOf, judge, type Accepted, type AcceptContext, type Judgement } from '#core/network/accept.ts'
import { decodeMessage, messageKey, type Message } from '#core/network/envelope.ts'
import { topicOf } from '#core/network/topic.ts'
import { DAG_PB_CODEC } from '#core/record/cid.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { Pending } from '#node/assembly/pending.ts'
import type { Follower } from '#node/chain/follower.ts'
import type { Log } from '#node/log.ts'
import type { Verdict } from '#node/network/accept.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** What taking messages in needs. */
export interface AcceptorComponents {
  readonly p: Primitives
  readonly deployment: Deployment
  readonly follower: Follower
  readonly messages: MessageLog
  readonly index: AcceptIndex
  readonly pending: Pending
  readonly blockstore: DiskBlockstore
  readonly log: Log
}

/** How a message came. */
export interface Origin {
  /** `live`: from its author or by gossip. `replicated`: out of a peer's log. */
  readonly provenance: AcceptContext['provenance']
  /** The gossip topic it came on. */
  readonly topic?: string
  /** How long to wait for the chain where that may help, ms. */
  readonly waitMs: number
  /** Whether to keep a message that may become valid later; otherwise its sender is told to come again. */
  readonly mayQueue: boolean
}

/** What became of a message; `position` is its place in the log if it is there. */
export interface Outcome extends Verdict {
  readonly position?: number
  readonly accepted?: Accepted
}

/** Takes messages in. */
export interface Acceptor {
  /** Makes the index whole after a crash, and begins to look at waiting messages. */
  start(): Promise<void>
  stop(): Promise<void>
  accept(bytes: Uint8Array, origin: Origin): Promise<Outcome>
  /** Hears of each message that was taken and had not been known. */
  onAccepted(handler: (accepted: Accepted, bytes: Uint8Array) => void): () => void
}

/** Messages of the log that are read at once when the index is made whole. */
const CATCH_UP_MESSAGES = 256
/** Most time between two looks at the waiting messages, ms: time alone can make one valid. */
const LOOK_EVERY_MS = 5_000

/** Makes an acceptor. */
export function createAcceptor(components: AcceptorComponents): Acceptor {
  const { p, deployment, follower, messages, index, pending, blockstore, log } = components
  const network = networkIdOfDeployment(deployment)
  const handlers = new Set<(accepted: Accepted, bytes: Uint8Array) => void>()
  const waiters = new Set<() => void>()
  const underWay = new Map<string, Promise<Outcome>>()
  let unhear: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let stopped = false

  function judgeNow(message: Message, provenance: Origin['provenance']): Judgement {
    return judge(message, { p, deployment, chain: follower.view(), store: index.view, provenance })
  }

  /** Resolves at the next block, or when the time is up. */
  async function nextBlock(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const wake = (): void => resolve(undefined)
    const limit = setTimeout(wake, ms)
    waiters.add(wake)
    await promise
    clearTimeout(limit)
    waiters.delete(wake)
  }

  async function take(key: string, message: Message, bytes: Uint8Array, origin: Origin): Promise<Outcome> {
    const known = await messages.getByKey(key)
    if (known != null) return { verdict: 'ignore', code: 'MESSAGE_KNOWN', position: known.position }
    const untilMs = performance.now() + origin.waitMs
    let judgement = judgeNow(message, origin.provenance)
    while (judgement.verdict !== 'accept' && judgement.retry === true && performance.now() < untilMs && !stopped) {
      await nextBlock(Math.max(1, untilMs - performance.now()))
      judgement = judgeNow(message, origin.provenance)
    }
    if (judgement.verdict === 'accept') return keep(key, message, bytes, judgement.accepted, origin.topic)
    if (judgement.retry !== true || !origin.mayQueue) return judgement
    const queued = await pending.add(`${origin.provenance}/${key}`, bytes, follower.view().blockTimeS)
    return { verdict: judgement.verdict, code: judgement.code, retry: !queued }
  }

  /** On the disk when this resolves: the message, and its blob if that came along. */
  async function keep(
    key: string,
    message: Message,
    bytes: Uint8Array,
    accepted: Accepted,
    topic: string | undefined
  ): Promise<Outcome> {
    if (topic != null && topic !== topicOf(p, network, accepted.patient)) {
      return { verdict: 'reject', code: 'MESSAGE_TOPIC' }
    }
    // Judged and reserved without a pause between: nobody else can have taken what excludes this message.
    const reservation = index.reserve(accepted)
    let position: number
    try {
      const blob = message.kind === 'entry' ? message.blob : null
      if (accepted.kind === 'entry' && blob != null) await blockstore.put(accepted.header.blob, blob)
      position = await messages.append(key, bytes, [accepted.patient])
      await reservation.commit(position, await lacksBlob(accepted))
    } catch (error) {
      reservation.release()
      throw error
    }
    for (const handler of handlers) handler(accepted, bytes)
    return { verdict: 'accept', position, accepted }
  }

  async function lacksBlob(accepted: Accepted): Promise<boolean> {
    // The root alone says little about a tree: whether the rest is here, the blob keeper finds out.
    if (accepted.kind !== 'entry') return false
    const { blob } = accepted.header
    return blob.code === DAG_PB_CODEC || !(await blockstore.has(blob))
  }

  /** Judges every waiting message anew. */
  async function look(): Promise<void> {
    for (const { key, bytes } of await pending.due(follower.view().blockTimeS)) {
      if (stopped) return
      const message = decodeMessage(bytes, network)
      const provenance = key.startsWith('live/') ? 'live' : 'replicated'
      const outcome = await take(messageKey(message), message, bytes, { provenance, waitMs: 0, mayQueue: false })
      if (outcome.retry !== true) await pending.remove(key)
    }
  }

  function lookSoon(): void {
    for (const wake of waiters) wake()
    looking ??= look()
      .catch((error: unknown) => log.error({ err: error }, 'waiting messages could not be judged'))
      .finally(() => {
        looking = undefined
      })
  }

  /** Makes rows of messages that were written just before a crash. */
  async function catchUp(): Promise<void> {
    for (;;) {
      const records = await messages.read(index.cursor(), CATCH_UP_MESSAGES)
      for (const { position, bytes } of records) {
        const message = decodeMessage(bytes, network)
        const accepted = acceptedOf(message)
        await index.reserve(accepted).commit(position, message.kind === 'entry' && message.blob == null)
      }
      if (records.length === 0) return
    }
  }

  return {
    async start() {
      await catchUp()
      unhear = follower.onBlock(lookSoon)
      timer = setInterval(lookSoon, LOOK_EVERY_MS)
    },
    async stop() {
      stopped = true
      unhear?.()
      clearInterval(timer)
      for (const wake of waiters) wake()
      await looking
      await Promise.allSettled(underWay.values())
    },
    async accept(bytes, origin) {
      let message: Message
      try {
        message = decodeMessage(bytes, network)
      } catch (error) {
        if (isSalusError(error)) return { verdict: 'reject', code: error.code }
        throw error
      }
      const key = messageKey(message)
      // The same message from two sides: one of them does the work.
      const running = underWay.get(key)
      if (running != null) return running
      const outcome = take(key, message, bytes, origin).finally(() => underWay.delete(key))
      underWay.set(key, outcome)
      return outcome
    },
    onAccepted(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    }
  }
}
