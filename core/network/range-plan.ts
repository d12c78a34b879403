/**
 * Decides which holder is asked for which block. A block is under way at one holder at most, so none comes twice; how much a
 * holder has under way follows its measured rate; what is past its deadline goes to another (docs/specs/range.md).
 */

/** Blocks that a holder is asked for now. */
export interface Assignment {
  readonly holder: string
  readonly keys: readonly string[]
}

/** The plan of one fetch. Times are in ms of one clock, keys name blocks. */
export interface RangePlan {
  /** Adds a peer that may have any block. */
  addHolder(id: string): void
  /** Takes a holder away; what it had under way is wanted again. */
  removeHolder(id: string): void
  holders(): string[]
  /** Wants a block; earlier ones are asked for first. */
  want(key: string, sizeBytes: number): void
  /** Wants a block no longer. */
  unwant(key: string): void
  /** A holder sent a block: whether it was under way there. */
  received(id: string, key: string, sizeBytes: number, nowMs: number): boolean
  /** A holder says that it does not have a block. */
  lacks(id: string, key: string, nowMs: number): void
  /** What to ask for now; it counts as under way from here on. */
  next(nowMs: number): Assignment[]
  /** Holders with work past its deadline that another holder could do. */
  overdue(nowMs: number): string[]
  /** Wanted blocks that no holder has. */
  hopeless(): string[]
  /** Blocks under way at a holder, in the order asked. */
  underWay(id: string): string[]
}

/** Time that a holder's work under way should take: enough to never run dry, little enough to be taken over soon. */
const TARGET_MS = 500
/** Under way at a holder that was not measured yet. */
const FIRST_WINDOW_BYTES: number = 4 << 20
const MAX_WINDOW_BYTES: number = 16 << 20
/** Most blocks under way at a holder: what one stream may have unanswered. */
const MAX_WINDOW_BLOCKS = 256
/** Rate that a holder is given credit for before it was measured. */
const FIRST_RATE_BYTES_PER_MS = 4096
/** Part of a new measurement in the rate. */
const RATE_WEIGHT = 0.3
/** Blocks that came in one piece are not measured one by one. */
const MIN_MEASURED_MS = 0.1
/** A deadline is this much after the time that the rate promises, times {@link DEADLINE_FACTOR}. */
const DEADLINE_GRACE_MS = 1_500
const DEADLINE_FACTOR = 4
/** A holder is left out while it would take longer than this, and than four times the best one. */
const PATIENCE_MS = 1_000
const PATIENCE_FACTOR = 4

interface Item {
  readonly sizeBytes: number
  /** Holders that said they do not have it. */
  readonly lackedBy: Set<string>
  holder: string | undefined
  dueMs: number
}

interface Holder {
  bytesPerMs: number
  isMeasured: boolean
  windowBytes: number
  underWayBytes: number
  /** Start of what comes next: the asking, or the end of what came before. */
  sinceMs: number
  readonly keys: Set<string>
}

/** An empty plan. */
export function createRangePlan(): RangePlan {
  const items = new Map<string, Item>()
  const holders = new Map<string, Holder>()

  /** Takes a block from the holder that has it under way. */
  function release(key: string, item: Item): void {
    const holder = holders.get(item.holder ?? '')
    if (holder?.keys.delete(key) === true) holder.underWayBytes -= item.sizeBytes
    item.holder = undefined
  }

  /** Time until a holder has sent what is under way and so many bytes more. */
  function expectedMs(holder: Holder, sizeBytes: number): number {
    return (holder.underWayBytes + sizeBytes) / holder.bytesPerMs
  }

  /** The holder that would send a block first, or none where each is busy or too slow for it now. */
  function bestFor(item: Item): [string, Holder] | undefined {
    let best: [string, Holder] | undefined
    let bestMs = Infinity
    let leastMs = Infinity
    for (const [id, holder] of holders) {
      if (item.lackedBy.has(id)) continue
      const ms = expectedMs(holder, item.sizeBytes)
      leastMs = Math.min(leastMs, ms)
      const isFree =
        holder.keys.size === 0 ||
        (holder.keys.size < MAX_WINDOW_BLOCKS && holder.underWayBytes + item.sizeBytes <= holder.windowBytes)
      if (isFree && ms < bestMs) {
        best = [id, holder]
        bestMs = ms
      }
    }
    return bestMs <= Math.max(PATIENCE_MS, PATIENCE_FACTOR * leastMs) ? best : undefined
  }

  function measure(holder: Holder, sizeBytes: number, nowMs: number): void {
    const rate = sizeBytes / Math.max(MIN_MEASURED_MS, nowMs - holder.sinceMs)
    holder.bytesPerMs = holder.isMeasured ? holder.bytesPerMs + RATE_WEIGHT * (rate - holder.bytesPerMs) : rate
    holder.isMeasured = true
    holder.windowBytes = Math.min(MAX_WINDOW_BYTES, holder.bytesPerMs * TARGET_MS)
    holder.sinceMs = nowMs
  }

  return {
    addHolder(id) {
      if (holders.has(id)) return
      holders.set(id, {
        bytesPerMs: FIRST_RATE_BYTES_PER_MS,
        isMeasured: false,
        windowBytes: FIRST_WINDOW_BYTES,
        underWayBytes: 0,
        sinceMs: 0,
        keys: new Set()
      })
    },
    removeHolder(id) {
      for (const key of holders.get(id)?.keys ?? []) {
        const item = items.get(key)
        if (item != null) item.holder = undefined
      }
      holders.delete(id)
    },
    holders: () => [...holders.keys()],
    want(key, sizeBytes) {
      if (!items.has(key)) items.set(key, { sizeBytes, lackedBy: new Set(), holder: undefined, dueMs: 0 })
    },
    unwant(key) {
      const item = items.get(key)
      if (item != null) release(key, item)
      items.delete(key)
    },
    received(id, key, sizeBytes, nowMs) {
      const item = items.get(key)
      const holder = holders.get(id)
      if (item == null || item.holder !== id || holder == null) return false
      measure(holder, sizeBytes, nowMs)
      release(key, item)
      items.delete(key)
      return true
    },
    lacks(id, key, nowMs) {
      const item = items.get(key)
      if (item == null) return
      const holder = holders.get(id)
      if (holder != null) holder.sinceMs = nowMs
      item.lackedBy.add(id)
      if (item.holder === id) release(key, item)
    },
    next(nowMs) {
      const asked = new Map<string, string[]>()
      for (const [key, item] of items) {
        if (item.holder != null) continue
        const found = bestFor(item)
        if (found == null) continue
        const [id, holder] = found
        if (holder.keys.size === 0) holder.sinceMs = nowMs
        item.holder = id
        item.dueMs = nowMs + DEADLINE_GRACE_MS + DEADLINE_FACTOR * expectedMs(holder, item.sizeBytes)
        holder.keys.add(key)
        holder.underWayBytes += item.sizeBytes
        const keys = asked.get(id)
        if (keys == null) asked.set(id, [key])
        else keys.push(key)
      }
      return [...asked].map(([holder, keys]) => ({ holder, keys }))
    },
    overdue(nowMs) {
      const late = new Set<string>()
      for (const item of items.values()) {
        if (item.holder == null || nowMs <= item.dueMs) continue
        const others = [...holders.keys()].some(id => id !== item.holder && !item.lackedBy.has(id))
        if (others) late.add(item.holder)
      }
      return [...late]
    },
    hopeless() {
      const ids = [...holders.keys()]
      return [...items].flatMap(([key, { lackedBy }]) => (ids.every(id => lackedBy.has(id)) ? key : []))
    },
    underWay: id => [...(holders.get(id)?.keys ?? [])]
  }
}
