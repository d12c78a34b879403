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

/** Who opened the connection, and who was called. */
export type SessionRole = 'dialler' | 'listener'

const INFO: Readonly<Record<SessionRole, Uint8Array>> = {
  dialler: utf8('salus/private/2 dialler'),
  listener: utf8('salus/private/2 listener')
}
const KEY_BYTES = 32
const COUNTER_BYTES = 16

/** One direction of a connection. */
export interface Direction {
  /** Of the sending side. */
  readonly role: SessionRole
  /** What the sending side drew, 32 bytes. */
  readonly senderNonce: Uint8Array
  /** What the other side drew, 32 bytes. */
  readonly receiverNonce: Uint8Array
}

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
 * The keys for what one side sends. Each direction has keys of both nonces, so that nothing of another connection can be sent again, and of
 * the sender's role, so that a stranger cannot have two connections to one peer answer each other.
 *
 * @param networkKey - 32 bytes
 * @throws SalusError `PRIVATE_NONCE` where the nonces are equal: somebody sends back what it was sent
 */
export function directionKeys(
  p: Pick<Primitives, 'hkdfSha256'>,
  networkKey: Uint8Array,
  { role, senderNonce, receiverNonce }: Direction
): DirectionKeys {
  if (equalBytes(senderNonce, receiverNonce)) {
    throw new SalusError('PRIVATE_NONCE', 'Refused: the peer sent back the nonce that it was sent.')
  }
  const bytes = p.hkdfSha256(
    networkKey,
    concat(senderNonce, receiverNonce),
    INFO[role],
    KEY_BYTES + COUNTER_BYTES + SESSION_TAG_BYTES
  )
  return {
    key: bytes.slice(0, KEY_BYTES),
    counter: bytes.slice(KEY_BYTES, KEY_BYTES + COUNTER_BYTES),
    tag: bytes.slice(KEY_BYTES + COUNTER_BYTES)
  }
}
