import { randomBytes } from 'node:crypto'
import type { Random } from '#core/crypto/primitives.ts'

/** Fresh bytes. */
export const random: Random = length => new Uint8Array(randomBytes(length))
