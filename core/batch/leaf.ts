/** Salted leaf hashes: a proof for one reading shows nothing of its neighbours, whose values have few bits of entropy. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, utf8 } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { leafHash } from '#core/batch/merkle.ts'

/** Bytes of the secret of a batch. */
export const BATCH_SECRET_BYTES = 32

/** Bytes of the salt of one leaf. */
export const SALT_BYTES = 16

const EXTRACT_SALT = utf8('salus/leaf-salt/1')
const OPENING = 'salus/batch-opening/1'

/** The pseudo-random key of a batch's salts: RFC 5869 extract. */
export function saltKey(p: Primitives, batchSecret: Uint8Array): Uint8Array {
  return p.hmacSha256(EXTRACT_SALT, batchSecret)
}

/**
 * Salt of the leaf at `index` of the gateway's tree: RFC 5869 expand to 16 bytes, with the index as eight big-endian
 * bytes of info. One HMAC, since the output is shorter than a block.
 */
export function leafSalt(p: Primitives, key: Uint8Array, index: number): Uint8Array {
  const info = new Uint8Array(9)
  const view = new DataView(info.buffer)
  view.setUint32(0, Math.floor(index / 2 ** 32))
  view.setUint32(4, index % 2 ** 32)
  info[8] = 1
  return p.hmacSha256(key, info).subarray(0, SALT_BYTES)
}

/** SHA-256(0x00 ‖ canonical reading ‖ salt). */
export function readingLeaf(p: Primitives, reading: Uint8Array, salt: Uint8Array): Uint8Array {
  return leafHash(p, concat(reading, salt))
}

/**
 * The leaf that opens each batch, also an empty one: it ties the header before it into the tree, so that an anchored
 * root commits to the whole chain of batches, silence included.
 *
 * @param sequence - of the batch that it opens, from 1
 * @param previous - digest of the header before, or null for the first batch
 */
export function openingLeaf(p: Primitives, sequence: number, previous: Uint8Array | null): Uint8Array {
  return leafHash(p, encodeCanonical([OPENING, sequence, previous]))
}
