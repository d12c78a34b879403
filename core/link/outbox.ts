/** A sensor's queue of what the gateway has not acknowledged, and when to send it again. No clock of its own. */
import { SalusError } from '#core/error.ts'
import { WINDOW_SIZE } from '#core/link/window.ts'

const FIRST_TIMEOUT_MS = 250
const LONGEST_TIMEOUT_MS = 10_000

/** A message that waits. */
export interface OutboxItem {
  readonly number: number
  readonly bytes: Uint8Array
  /** When it is to be sent, again or at all; milliseconds. */
  dueMs: number
  timeoutMs: number
}

/** The queue, oldest first; it changes in place. */
export interface Outbox {
  readonly maxItems: number
  readonly items: Map<number, OutboxItem>
}

/** Makes an empty queue. */
export function createOutbox(maxItems: number): Outbox {
  return { maxItems, items: new Map() }
}

/**
 * Puts a message at the end.
 *
 * @param number - greater than any before
 * @throws SalusError `LINK_QUEUE_FULL`: the gateway has not answered for too long
 */
export function enqueue({ maxItems, items }: Outbox, number: number, bytes: Uint8Array): void {
  if (items.size >= maxItems) {
    throw new SalusError(
      'LINK_QUEUE_FULL',
      'Too many messages wait for the gateway; thin them out, or try again later.'
    )
  }
  items.set(number, { number, bytes, dueMs: 0, timeoutMs: FIRST_TIMEOUT_MS })
}

/**
 * Messages to send now; each is due again after its time-out. Only numbers within a window of the oldest go out: what the gateway
 * finds too old to know, it has therefore acknowledged before.
 */
export function takeDue({ items }: Outbox, nowMs: number, atMost: number): OutboxItem[] {
  const due: OutboxItem[] = []
  const [oldest] = items.keys()
  for (const item of items.values()) {
    if (due.length >= atMost || item.number >= (oldest ?? 0) + WINDOW_SIZE) break
    if (item.dueMs > nowMs) continue
    item.dueMs = nowMs + item.timeoutMs
    item.timeoutMs = Math.min(2 * item.timeoutMs, LONGEST_TIMEOUT_MS)
    due.push(item)
  }
  return due
}

/** Drops what was acknowledged; numbers that do not wait are ignored. Returns those that did. */
export function acknowledge({ items }: Outbox, numbers: readonly number[]): number[] {
  return numbers.filter(number => items.delete(number))
}

/** Makes everything due at once: a new session is open. */
export function makeAllDue({ items }: Outbox): void {
  for (const item of items.values()) {
    item.dueMs = 0
    item.timeoutMs = FIRST_TIMEOUT_MS
  }
}

/** When the next message is due; `undefined` if none waits. */
export function nextDueMs({ items }: Outbox): number | undefined {
  const [oldest] = items.keys()
  let next: number | undefined
  for (const { number, dueMs } of items.values()) {
    if (number >= (oldest ?? 0) + WINDOW_SIZE) break
    next = Math.min(next ?? dueMs, dueMs)
  }
  return next
}
