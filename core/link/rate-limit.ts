/** How often each of many may do something, in memory that no number of strangers makes grow. */

/** A rate and the memory of who used it. */
export interface RateLimiter {
  /** Takes one from whoever `key` names; false if there is none left. */
  take(key: string, nowMs: number): boolean
  /** Number of names remembered. */
  readonly size: number
}

/** What is allowed. */
export interface RateLimit {
  readonly perSecond: number
  /** That may be taken at once. */
  readonly burst: number
  /** Names remembered at most; the one that was remembered first is forgotten for a new one. */
  readonly maxNames: number
}

interface Bucket {
  left: number
  atMs: number
}

/** Makes a limiter: one token bucket per name. */
export function createRateLimiter({ perSecond, burst, maxNames }: RateLimit): RateLimiter {
  const buckets = new Map<string, Bucket>()
  return {
    get size() {
      return buckets.size
    },
    take(key, nowMs) {
      const bucket = buckets.get(key) ?? { left: burst, atMs: nowMs }
      // A clock that was set back gives nothing, and takes nothing.
      const elapsedMs = Math.max(0, nowMs - bucket.atMs)
      bucket.left = Math.min(burst, bucket.left + (elapsedMs * perSecond) / 1000)
      bucket.atMs = nowMs
      // Behind all others again: those that come often are the last to be forgotten.
      buckets.delete(key)
      buckets.set(key, bucket)
      const [oldest] = buckets.keys()
      if (oldest != null && buckets.size > maxNames) buckets.delete(oldest)
      if (bucket.left < 1) return false
      bucket.left--
      return true
    }
  }
}
