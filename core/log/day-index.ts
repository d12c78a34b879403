/** Keys by day, newest first, without sorting anything but the days that are looked at. */

/** Where a page of keys ended. */
export interface PagePlace {
  readonly day: number
  readonly key: string
}

/** Keys by day. */
export interface DayIndex {
  add(day: number, key: string): void
  remove(day: number, key: string): void
  /** Keys of the days from `toDay` down to `fromDay`, in the order of text within a day, behind `after`. */
  page(wish: {
    readonly fromDay?: number
    readonly toDay?: number
    readonly after?: PagePlace | undefined
    readonly limit: number
  }): PagePlace[]
}

interface Bucket {
  readonly keys: Set<string>
  /** The keys in order; absent since the last change. */
  sorted?: readonly string[] | undefined
}

/** An index without keys. */
export function createDayIndex(): DayIndex {
  const buckets = new Map<number, Bucket>()
  const days: number[] = []

  return {
    add(day, key) {
      const bucket = buckets.get(day) ?? { keys: new Set<string>() }
      if (bucket.keys.size === 0) {
        buckets.set(day, bucket)
        days.splice(firstAtLeast(days, day), 0, day)
      }
      bucket.keys.add(key)
      bucket.sorted = undefined
    },
    remove(day, key) {
      const bucket = buckets.get(day)
      if (bucket?.keys.delete(key) !== true) return
      bucket.sorted = undefined
      if (bucket.keys.size > 0) return
      buckets.delete(day)
      days.splice(firstAtLeast(days, day), 1)
    },
    page({ fromDay = 0, toDay = Number.MAX_SAFE_INTEGER, after, limit }) {
      const page: PagePlace[] = []
      const last = after == null ? toDay : Math.min(toDay, after.day)
      for (let at = firstAtLeast(days, last + 1) - 1; at >= 0 && page.length < limit; at--) {
        const day = days[at] ?? 0
        const bucket = buckets.get(day)
        if (day < fromDay || bucket == null) break
        bucket.sorted ??= [...bucket.keys].sort()
        const from = after?.day === day ? firstAtLeast(bucket.sorted, `${after.key}\0`) : 0
        for (const key of bucket.sorted.slice(from, from + limit - page.length)) page.push({ day, key })
      }
      return page
    }
  }
}

/** Where the first item that is not below `wanted` stands in an ordered list, by bisection. */
function firstAtLeast<T>(ordered: readonly T[], wanted: T): number {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = ordered[middle]
    if (item != null && item < wanted) low = middle + 1
    else high = middle
  }
  return low
}
