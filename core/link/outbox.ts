/** A sensor's queue of what the gateway has not acknowledged, and when to send it again. No clock of its own. */
import { SalusError } from '#core/error.ts'
import { WINDOW_SIZE } from '#core/link/window.ts'

const FIRST_TIMEOUT_MS = 250
const LONGEST_TIMEOUT_MS = 5_000

/** A message that waits. */
interface Waiting<T> {
  readonly content: T
  dueMs: number
  timeoutMs: number
}

/** The queue by number, oldest first; it changes in place. */
export interface Outbox<T> {
  readonly maxItems: number
  readonly items: Map<number, Waiting<T>>
}

/** A message to send now, with the number of the one that waits before it. */
export interface Due<T> {
  readonly number: number
  readonly previous: number | null
  readonly content: T
}

/** Makes an empty queue. */
export function createOutbox<T>(maxItems: number): Outbox<T> {
  return { maxItems, items: new Map() }
}

/** Refuses a message for which there is no room. @throws SalusError `LINK_QUEUE_FULL`: the gateway has not answered for too long */
export function requireRoom<T>({ maxItems, items }: Outbox<T>): void {
  if (items.size < maxItems) return
  throw new SalusError('LINK_QUEUE_FULL', 'Too many messages wait for the gateway; thin them out, or try again later.')
}

/**
 * Puts a message at the end.
 *
 * @param number - greater than any before
 * @throws SalusError `LINK_QUEUE_FULL`
 */
export function enqueue<T>(outbox: Outbox<T>, number: number, content: T): void {
  requireRoom(outbox)
  outbox.items.set(number, { content, dueMs: 0, timeoutMs: FIRST_TIMEOUT_MS })
}

/**
 * Messages to send now; each is due again after its time-out. Only numbers within a window of the oldest go out: what the gateway
 * finds too old to know, it has therefore acknowledged before.
 */
export function takeDue<T>({ items }: Outbox<T>, nowMs: number, atMost: number): Due<T>[] {
  const due: Due<T>[] = []
  const [oldest = 0] = items.keys()
  let previous: number | null = null
  for (const [number, item] of items) {
    if (due.length >= atMost || number >= oldest + WINDOW_SIZE) break
    if (item.dueMs <= nowMs) {
      item.dueMs = nowMs + item.timeoutMs
      item.timeoutMs = Math.min(2 * item.timeoutMs, LONGEST_TIMEOUT_MS)
      due.push({ number, previous, content: item.content })
    }
    previous = number
  }
  return due
}

/** Drops what was acknowledged; numbers that do not wait are ignored. Returns those that did. */
export function acknowledge<T>({ items }: Outbox<T>, numbers: readonly number[]): number[] {
  return numbers.filter(number => items.delete(number))
}

/** Makes everything due at once: a new session is open. */
export function makeAllDue<T>({ items }: Outbox<T>): void {
  for (const item of items.values()) {
    item.dueMs = 0
    item.timeoutMs = FIRST_TIMEOUT_MS
  }
}

/** When the next message is due; `undefined` if none waits. */
export function nextDueMs<T>({ items }: Outbox<T>): number | undefined {
  const [oldest = 0] = items.keys()
  let next: number | undefined
  for (const [number, { dueMs }] of items) {
    if (number >= oldest + WINDOW_SIZE) break
    next = Math.min(next ?? dueMs, dueMs)
  }
  return next
}
