import { createHash } from 'node:crypto'
import type { Draw } from '#scripts/soak/gateway/simulated-disk.ts'

/** Draws that a name repeats: SHA-256 in counter mode. */
export function drawFrom(name: string): Draw {
  let block = Buffer.alloc(0)
  let at = 0
  let counter = 0
  return bound => {
    if (at + 4 > block.length) {
      block = createHash('sha256')
        .update(`${name} ${String(counter++)}`)
        .digest()
      at = 0
    }
    const value = block.readUInt32BE(at)
    at += 4
    return value % bound
  }
}
