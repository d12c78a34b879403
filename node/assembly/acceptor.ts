/** Takes messages in: judges them, keeps them durably, and only then says so (docs/specs/acceptance.md). */
import type { Deployment } from '#core/chain/deployment.ts'
import { networkIdOfDeployment } from '#core/chain/deployment.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { acceptedOf, judge, type Accepted, type AcceptContext, type Judgement } from '#core/network/accept.ts'
import { decodeMessage, messageKey, type Message } from '#core/network/envelope.ts'
import { topicOf } from '#core/network/topic.ts'
import { DAG_PB_CODEC } from '#core/record/cid.ts'
import { blobCid } from '#core/record/blob-cid.ts'
import { noticeOf, noticesKey } from '#core/network/notice.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import { awaitedBy, stateOf } from '#node/assembly/awaited.ts'
import type { Pending, Wait } from '#node/assembly/pending.ts'
import type { Follower } from '#node/chain/follower.ts'
import type { Log } from '#node/log.ts'
import type { Verdict } from '#node/network/accept.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import type { LogRecord, MessageLog } from '#node/store/messages.ts'

/** What taking messages in needs. */
export interface AcceptorComponents {
  readonly p: Primitives
  readonly deployment: Deployment
  readonly follower: Pick<Follower, 'view' | 'onBlock'>
  readonly messages: MessageLog
  readonly index: AcceptIndex
  readonly pending: Pending
  readonly blockstore: DiskBlockstore
  readonly log: Log
}

/** What it may be told. */
export interface AcceptorInit {
  /** Blobs of one patient that may be wanted at once, 1,024 unless told; an author who names more sends some of them first. */
  readonly maxOpenWants?: number
}

/** How a message came. */
export interface Origin {
  /** `live`: from its author or by gossip. `replicated`: out of a peer's log. */
  readonly provenance: AcceptContext['provenance']
  /** Id of the peer it came from. */
  readonly from?: string
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
  /** Ids of the nodes that confirmed to have it on their disks, where more than one was asked for. */
  readonly heldBy?: readonly string[]
}

/** Takes messages in. */
export interface Acceptor {
  /** Makes the index whole after a crash, and begins to look at waiting messages. */
  start(): Promise<void>
  stop(): Promise<void>
  accept(bytes: Uint8Array, origin: Origin): Promise<Outcome>
  /** Makes the rows of a message of the log once more: it was damaged, and is not any more. */
  reindex(record: LogRecord): Promise<void>
  /** Hears of each message that was taken and had not been known. */
  onAccepted(handler: (accepted: Accepted, bytes: Uint8Array) => void): () => void
}

/** A message as it is judged. */
interface Task {
  readonly key: string
  readonly message: Message
  /** What is kept of it if it is taken. */
  readonly about: Accepted
  readonly bytes: Uint8Array
}

/** A refusal, and what the message waits for if that may end. */
type Refused = Outcome & { readonly wait?: Wait }

/** Messages of the log that are read at once when the index is made whole. */
const CATCH_UP_MESSAGES = 256
/** Time between two tries to make the index whole, ms. */
const MEND_EVERY_MS = 1_000
/** Most time between two looks at the waiting messages, ms: time alone can make one valid. */
const LOOK_EVERY_MS = 5_000

/** Makes an acceptor. */
export function createAcceptor(components: AcceptorComponents, { maxOpenWants = 1_024 }: AcceptorInit = {}): Acceptor {
  const { p, deployment, follower, messages, index, pending, blockstore, log } = components
  const network = networkIdOfDeployment(deployment)
  const handlers = new Set<(accepted: Accepted, bytes: Uint8Array) => void>()
  const waiters = new Set<() => void>()
  /** By envelope and way: another envelope of the same message, or another way, may fare otherwise. */
  const underWay = new Map<string, Promise<Outcome>>()
  /** Messages that are being written, by key. */
  const keeping = new Map<string, Promise<Outcome>>()
  let unhear: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let mending: Promise<void> | undefined
  /** Messages of the log that nobody was told of, since their rows could not be written. */
  const untold: { readonly about: Accepted; readonly bytes: Uint8Array }[] = []
  let stopped = false

  function judgeNow({ message, about }: Task, provenance: Origin['provenance']): Judgement & { readonly wait?: Wait } {
    const chain = follower.view()
    const judgement = judge(message, { p, deployment, chain, store: index.view, provenance })
    if (judgement.verdict === 'accept' || judgement.retry !== true) return judgement
    const awaited = awaitedBy(judgement.code, about, chain)
    return { ...judgement, wait: { awaited, seen: stateOf(awaited, chain) } }
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

  /** Waits until the chain says something else of what the message waits for, or the time is up. */
  async function change({ awaited, seen }: Wait, untilMs: number): Promise<void> {
    do {
      await nextBlock(Math.max(1, untilMs - performance.now()))
    } while (!stopped && performance.now() < untilMs && stateOf(awaited, follower.view()) === seen)
  }

  async function take(task: Task, { provenance, waitMs }: Pick<Origin, 'provenance' | 'waitMs'>): Promise<Refused> {
    const untilMs = performance.now() + waitMs
    for (;;) {
      const known = await messages.getByKey(task.key)
      if (known != null) return meetAgain(task, known.position)
      const judgement = judgeNow(task, provenance)
      if (judgement.verdict === 'accept') {
        const other = keeping.get(task.key)
        if (other == null) return keepOnce(task, provenance)
        // Another envelope of this message is on its way to the disk.
        await other.catch(() => undefined)
        continue
      }
      if (judgement.wait == null || performance.now() >= untilMs || stopped) return judgement
      await change(judgement.wait, untilMs)
    }
  }

  /** The message is known, but the blob beside it may be what is missing: whoever passed it on first may have left it out. */
  async function meetAgain({ message, about }: Task, position: number): Promise<Outcome> {
    const blob = message.kind === 'entry' ? message.blob : null
    if (about.kind === 'entry' && blob != null) {
      const { blob: cid, sizeBytes } = about.header
      if (blob.length !== sizeBytes) return { verdict: 'reject', code: 'BLOB_SIZE' }
      if (!equalBytes(blobCid(p, blob).bytes, cid.bytes)) return { verdict: 'reject', code: 'BLOB_DIGEST' }
      if (!(await blockstore.has(cid))) await blockstore.put(cid, blob)
      await index.wants.unwant({ cid: cid.toString(), sizeBytes })
    }
    return { verdict: 'ignore', code: 'MESSAGE_KNOWN', position }
  }

  async function keepOnce(task: Task, provenance: Origin['provenance']): Promise<Outcome> {
    const kept = keep(task, provenance).finally(() => keeping.delete(task.key))
    keeping.set(task.key, kept)
    return kept
  }

  /** On the disk when this resolves: the message, and its blob if that came along. */
  async function keep({ key, message, about, bytes }: Task, provenance: Origin['provenance']): Promise<Outcome> {
    // Judged and reserved without a pause between: nobody else can have taken what excludes this message.
    const reservation = index.reserve(about)
    let position: number
    let wantsBlob: boolean
    try {
      const blob = message.kind === 'entry' ? message.blob : null
      if (about.kind === 'entry' && blob != null) await blockstore.put(about.header.blob, blob)
      wantsBlob = await lacksBlob(about)
      if (wantsBlob && provenance === 'live' && index.wants.open(toHex(about.patient)) >= maxOpenWants) {
        reservation.release()
        return { verdict: 'ignore', code: 'BLOB_QUOTA' }
      }
      // While the blob was put, the patient may have had the entry erased: written now, it would outlive that.
      if (about.kind === 'entry' && index.view.isErased(about.patient, about.name)) {
        reservation.release()
        return { verdict: 'ignore', code: 'ENTRY_ERASED' }
      }
      const { patient } = about
      const indexKeys = noticeOf(message) == null ? [patient] : [patient, noticesKey(patient)]
      position = await messages.append(key, bytes, indexKeys)
    } catch (error) {
      reservation.release()
      throw error
    }
    try {
      await reservation.commit(position, wantsBlob)
    } catch (error) {
      // It is in the log, and stays reserved; what stands on the index hears of it once it is there.
      log.error({ err: error }, 'the index lacks a message; it is made whole')
      untold.push({ about, bytes })
      makeWholeSoon()
      return { verdict: 'accept', position, accepted: about }
    }
    for (const handler of handlers) handler(about, bytes)
    return { verdict: 'accept', position, accepted: about }
  }

  async function lacksBlob(accepted: Accepted): Promise<boolean> {
    // The root alone says little about a tree: whether the rest is here, the blob keeper finds out.
    if (accepted.kind !== 'entry') return false
    const { blob } = accepted.header
    return blob.code === DAG_PB_CODEC || !(await blockstore.has(blob))
  }

  /** Takes a message in, or lets it wait. */
  async function receive(task: Task, origin: Origin, envelope: string): Promise<Outcome> {
    const { wait, ...outcome } = await take(task, origin)
    if (wait == null || !origin.mayQueue) return outcome
    const { from = '', provenance } = origin
    const queued = await pending.add(`${provenance}/${envelope}`, task.bytes, from, wait, follower.view().blockTimeS)
    return { ...outcome, retry: !queued }
  }

  /** Judges anew the waiting messages for which something has changed. */
  async function look(): Promise<void> {
    for (const { key, bytes } of await pending.due(follower.view())) {
      if (stopped) return
      const provenance = key.startsWith('live/') ? 'live' : 'replicated'
      const { wait } = await take(taskOf(bytes), { provenance, waitMs: 0 })
      if (wait == null) await pending.remove(key)
      else pending.again(key, wait)
    }
  }

  /** @throws SalusError the codes of the message and of its parts */
  function taskOf(bytes: Uint8Array): Task {
    const message = decodeMessage(bytes, network)
    return { key: messageKey(message), message, about: acceptedOf(message), bytes }
  }

  function lookSoon(): void {
    for (const wake of waiters) wake()
    looking ??= look()
      .catch((error: unknown) => log.error({ err: error }, 'waiting messages could not be judged'))
      .finally(() => {
        looking = undefined
      })
  }

  /** Makes the rows of messages that the log has and the index lacks: they were written just before a crash, or as the disk was full. */
  async function catchUp(): Promise<void> {
    for (;;) {
      const records = await messages.read(index.cursor(), CATCH_UP_MESSAGES)
      const last = records.at(-1)
      if (last == null) return
      for (const record of records) if (!index.has(record.position)) await indexOne(record)
      // What is still missing was erased since.
      await index.pass(last.position)
    }
  }

  async function indexOne({ position, bytes }: LogRecord): Promise<void> {
    let accepted: Accepted
    try {
      accepted = acceptedOf(decodeMessage(bytes, network))
    } catch (error) {
      if (!isSalusError(error)) throw error
      log.error({ position, err: error }, 'a message of the log is damaged; have the store scrubbed')
      return
    }
    await index.reserve(accepted).commit(position, await lacksBlob(accepted))
  }

  /** Tries to make the index whole until it is, then tells of what was taken in meanwhile. */
  async function makeWhole(): Promise<void> {
    while (!stopped) {
      try {
        await catchUp()
        for (const { about, bytes } of untold.splice(0)) for (const handler of handlers) handler(about, bytes)
        return
      } catch (error) {
        log.warn({ err: error }, 'the index of the messages is not whole; trying again')
        await nextBlock(MEND_EVERY_MS)
      }
    }
  }

  function makeWholeSoon(): void {
    mending ??= makeWhole()
      .catch((error: unknown) => log.error({ err: error }, 'the index of the messages is not whole'))
      .finally(() => {
        mending = undefined
      })
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
      await mending
    },
    async accept(bytes, origin) {
      let task: Task
      try {
        task = taskOf(bytes)
      } catch (error) {
        if (isSalusError(error)) return { verdict: 'reject', code: error.code }
        throw error
      }
      const { topic = '', provenance } = origin
      if (topic !== '' && topic !== topicOf(p, network, task.about.patient)) {
        return { verdict: 'reject', code: 'MESSAGE_TOPIC' }
      }
      const envelope = toHex(p.sha256(bytes)).slice(2)
      const way = `${provenance}/${topic}/${envelope}`
      // The same bytes from two sides on the same way: one of them does the work.
      const running = underWay.get(way)
      if (running != null) return running
      const outcome = receive(task, origin, envelope).finally(() => underWay.delete(way))
      underWay.set(way, outcome)
      return outcome
    },
    reindex: indexOne,
    onAccepted(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    }
  }
}
