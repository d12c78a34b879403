/** The reference sensor: a queue of readings that stay until the gateway has them on its disk, over either profile of the link. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#core/crypto/primitives.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeMessage, encodeMessage, type LinkMessage, type SensorReading } from '#core/link/message.ts'
import { acknowledge, createOutbox, enqueue, makeAllDue, nextDueMs, requireRoom, takeDue } from '#core/link/outbox.ts'
import type { Counters } from '#gateway/link/marks-file.ts'

/** Messages sent at once before anything else gets a turn. */
const BURST = 32
const LONGEST_WAIT_MS = 1000

/** What carries messages: one profile of the link. */
export interface Carrier {
  /** Begins; `onMessage` gets what the gateway says, `onOpen` is called when a session begins. */
  start(events: { readonly onMessage: (bytes: Uint8Array) => void; readonly onOpen: () => void }): Promise<void>
  stop(): Promise<void>
  /** Sends a message if there is a session; one that is lost is sent again. */
  send(bytes: Uint8Array): void
  readonly isOpen: boolean
  /** Most bytes of a message that it carries. */
  readonly maxMessageBytes: number
  /** Puts a new key on the disk, to be used from the next session on. */
  replaceKey(handle: Uint8Array, psk: Uint8Array): Promise<void>
}

/** What the sensor needs. */
export interface SensorComponents {
  readonly clock: Clock
  readonly carrier: Carrier
  readonly counters: Counters
}

/** A running sensor. */
export interface LinkSensor {
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Puts readings in the queue; resolves when they have their number, not when they are sent.
   *
   * @throws SalusError `LINK_QUEUE_FULL`, `LINK_MESSAGE_OVERSIZE`
   */
  push(readings: readonly SensorReading[]): Promise<number>
  /** Numbers of messages that wait. */
  readonly waiting: number
  /** Messages that were acknowledged. */
  readonly acknowledged: number
}

/** Makes a sensor whose queue holds at most `maxWaiting` messages. */
export function createLinkSensor(
  { clock, carrier, counters }: SensorComponents,
  { maxWaiting, onAcknowledged }: { readonly maxWaiting: number; readonly onAcknowledged?: (number: number) => void }
): LinkSensor {
  const outbox = createOutbox<readonly SensorReading[]>(maxWaiting)
  const stopping = new AbortController()
  let wake = new AbortController()
  let loop: Promise<void> | undefined
  let acknowledged = 0
  let last: Promise<unknown> = Promise.resolve()

  function onMessage(bytes: Uint8Array): void {
    let message: LinkMessage
    try {
      message = decodeMessage(bytes)
    } catch (error) {
      if (!isSalusError(error)) throw error
      return
    }
    if (message.kind === 'acknowledged') {
      for (const number of acknowledge(outbox, message.numbers)) {
        acknowledged++
        onAcknowledged?.(number)
      }
      wake.abort()
    } else if (message.kind === 'rotate') {
      const { handle, psk } = message
      // Told again until the new key is used: a failed write needs no other answer.
      carrier.replaceKey(handle, psk).then(
        () => carrier.send(encodeMessage({ kind: 'rotated', handle })),
        () => undefined
      )
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const nowMs = clock()
      const due = carrier.isOpen ? takeDue(outbox, nowMs, BURST) : []
      for (const { number, previous, content } of due) {
        carrier.send(encodeMessage({ kind: 'readings', number, previous, readings: content }))
      }
      wake = new AbortController()
      const waitMs = carrier.isOpen ? Math.max(0, (nextDueMs(outbox) ?? Infinity) - clock()) : LONGEST_WAIT_MS
      const signal = AbortSignal.any([wake.signal, stopping.signal])
      await pause(Math.min(waitMs, LONGEST_WAIT_MS), undefined, { signal }).catch(() => undefined)
    }
  }

  async function pushNow(readings: readonly SensorReading[]): Promise<number> {
    requireRoom(outbox)
    const number = await counters.nextMessage()
    const longest: LinkMessage = { kind: 'readings', number, previous: number, readings }
    if (encodeMessage(longest).length > carrier.maxMessageBytes) {
      throw new SalusError('LINK_MESSAGE_OVERSIZE', 'So many readings do not fit one message; push them in parts.')
    }
    enqueue(outbox, number, readings)
    wake.abort()
    return number
  }

  return {
    get waiting() {
      return outbox.items.size
    },
    get acknowledged() {
      return acknowledged
    },
    async start() {
      const onOpen = (): void => {
        makeAllDue(outbox)
        wake.abort()
      }
      await carrier.start({ onMessage, onOpen })
      loop = run()
    },
    async stop() {
      stopping.abort()
      await loop
      await carrier.stop()
    },
    async push(readings) {
      const pushing = last.then(async () => pushNow(readings))
      last = pushing.catch(() => undefined)
      return pushing
    }
  }
}
