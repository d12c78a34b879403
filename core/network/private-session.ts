/**
 * Keys of one connection of a private network (docs/specs/private-network.md, vectors in test/vectors/private-network.json). Both sides
 * know the network key; each sends a nonce, proves the key with a tag, then enciphers everything with a key of its direction.
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'

/** Bytes of the key that all peers of a private network share. */
export const NETWORK_KEY_BYTES = 32

/** Bytes of the nonce that each side sends first. */
export const SESSION_NONCE_BYTES = 32

/** Bytes of the tag that each side sends second. */
export const SESSION_TAG_BYTES = 32

const INFO = utf8('salus/private/1')
const KEY_BYTES = 32
const COUNTER_BYTES = 16

/** What protects one direction of a connection. */
export interface DirectionKeys {
  /** AES-256 key, 32 bytes. */
  readonly key: Uint8Array
  /** First counter block, 16 bytes. */
  readonly counter: Uint8Array
  /** What the sender proves the network key with, 32 bytes. */
  readonly tag: Uint8Array
}

/**
 * The keys for what one side sends. Each direction has keys of both nonces, so that nothing of another connection can be sent again.
 *
 * @param networkKey - 32 bytes
 * @param senderNonce - what the sending side drew, 32 bytes
 * @param receiverNonce - what the other side drew, 32 bytes
 * @throws SalusError `PRIVATE_NONCE` where the nonces are equal: somebody sends back what it was sent
 */
export function directionKeys(
  p: Pick<Primitives, 'hkdfSha256'>,
  networkKey: Uint8Array,
  senderNonce: Uint8Array,
  receiverNonce: Uint8Array
): DirectionKeys {
  if (equalBytes(senderNonce, receiverNonce)) {
    throw new SalusError('PRIVATE_NONCE', 'Refused: the peer sent back the nonce that it was sent.')
  }
  const bytes = p.hkdfSha256(
    networkKey,
    concat(senderNonce, receiverNonce),
    INFO,
    KEY_BYTES + COUNTER_BYTES + SESSION_TAG_BYTES
  )
  return {
    key: bytes.slice(0, KEY_BYTES),
    counter: bytes.slice(KEY_BYTES, KEY_BYTES + COUNTER_BYTES),
    tag: bytes.slice(KEY_BYTES + COUNTER_BYTES)
  }
}
