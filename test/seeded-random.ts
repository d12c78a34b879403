import { createCipheriv, createHash } from 'node:crypto'
import type { Random } from '#core/crypto/primitives.ts'

/** A {@link Random} that gives the same bytes in every run: the AES-256-CTR keystream under the seed's SHA-256. */
export function seededRandom(seed: string): Random {
  const stream = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), new Uint8Array(16))
  return length => Uint8Array.from(stream.update(new Uint8Array(length)))
}
