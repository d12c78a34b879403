/**
 * The primitives that a sensor link needs beside those of `core/crypto`, passed in: `core/link/portable.ts` runs anywhere,
 * `gateway/link/native.ts` uses OpenSSL. `test/core/link/primitives.test.ts` runs one suite over both.
 */
import type { Primitives } from '#core/crypto/primitives.ts'

/** ChaCha20-Poly1305 (RFC 8439) under one key that was made ready once. */
export interface Aead {
  /** Ciphertext and its 16-byte tag behind it. */
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array
  /** The plaintext, or `undefined` if the tag does not match. */
  open(nonce: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Uint8Array | undefined
}

/** What a link's two ends need. All are synchronous. */
export interface LinkPrimitives extends Pick<Primitives, 'sha256' | 'hmacSha256' | 'hkdfSha256'> {
  /** RFC 7748: the public key of a 32-byte secret. */
  x25519PublicKey(secret: Uint8Array): Uint8Array
  /** RFC 7748: 32 shared bytes; `undefined` where they would be all zero (a public key of small order). */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  /** Makes a 32-byte key ready for use. */
  aead(key: Uint8Array): Aead
}

/** Bytes of an AEAD tag. */
export const TAG_BYTES = 16

/** Bytes of every key, public key and pre-shared key of a link. */
export const KEY_BYTES = 32
