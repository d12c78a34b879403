import type { Clock } from '#core/crypto/primitives.ts'

/** How much is allowed: `perSecond` on average, `burst` at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Token buckets, one for each key. */
export interface RateLimiter {
  /** Takes an amount; false where the key has used up what it may. */
  take(key: string, amount?: number): boolean
}

/** Most keys remembered; the one that was quiet longest is forgotten first. */
const MAX_KEYS = 4096

/** A {@link RateLimiter} with a bucket for each peer. */
export function createRateLimiter({ clock }: { clock: Clock }, { perSecond, burst }: Rate): RateLimiter {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return {
    take(key, amount = 1) {
      const nowMs = clock()
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: nowMs }
      const refill = (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000
      const tokens = Math.min(burst, bucket.tokens + refill)
      const allowed = tokens >= amount
      buckets.delete(key)
      buckets.set(key, { tokens: allowed ? tokens - amount : tokens, atMs: nowMs })
      if (buckets.size > MAX_KEYS) {
        const [oldest] = buckets.keys()
        if (oldest != null) buckets.delete(oldest)
      }
      return allowed
    }
  }
}
