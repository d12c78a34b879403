import { createHash } from 'node:crypto'
import type { Random } from '#core/crypto/primitives.ts'

/** A {@link Random} that gives the same bytes in every run: SHA-256 of the seed and a counter. */
export function seededRandom(seed: string): Random {
  let counter = 0
  let pool = Buffer.alloc(0)
  return length => {
    while (pool.length < length) {
      pool = Buffer.concat([
        pool,
        createHash('sha256')
          .update(`${seed}/${String(counter++)}`)
          .digest()
      ])
    }
    const out = Uint8Array.from(pool.subarray(0, length))
    pool = pool.subarray(length)
    return out
  }
}
