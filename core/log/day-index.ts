/** Keys by day, newest first; adding one or showing a page costs no more for many of one day. */
import { createOrderedKeys, firstThat, type OrderedKeys } from '#core/log/ordered-keys.ts'

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

/** An index without keys. */
export function createDayIndex(): DayIndex {
  const buckets = new Map<number, OrderedKeys>()
  /** The days that have keys, in order. */
  const days: number[] = []
  const firstFrom = (day: number): number => firstThat(days.length, i => (days[i] ?? 0) >= day)

  return {
    add(day, key) {
      let bucket = buckets.get(day)
      if (bucket == null) {
        bucket = createOrderedKeys()
        buckets.set(day, bucket)
        days.splice(firstFrom(day), 0, day)
      }
      bucket.add(key)
    },
    remove(day, key) {
      const bucket = buckets.get(day)
      if (bucket == null) return
      bucket.remove(key)
      if (bucket.size > 0) return
      buckets.delete(day)
      days.splice(firstFrom(day), 1)
    },
    page({ fromDay = Number.MIN_SAFE_INTEGER, toDay = Number.MAX_SAFE_INTEGER, after, limit }) {
      const page: PagePlace[] = []
      const last = after == null ? toDay : Math.min(toDay, after.day)
      for (let at = firstFrom(last + 1) - 1; at >= 0 && page.length < limit; at--) {
        const day = days[at] ?? 0
        if (day < fromDay) break
        const behind = after?.day === day ? after.key : undefined
        for (const key of buckets.get(day)?.page(limit - page.length, behind) ?? []) page.push({ day, key })
      }
      return page
    }
  }
}
