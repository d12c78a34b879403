/**
 * The cryptographic primitives that `core` needs, passed in by whoever runs it: `core/crypto/portable.ts` runs
 * anywhere, `node/crypto/native.ts` uses the platform's OpenSSL. All are synchronous; `test/core/crypto` runs one
 * suite over every implementation.
 */
export interface Primitives {
  /** FIPS 180-4, 32 bytes. */
  sha256(data: Uint8Array): Uint8Array
  /** RFC 2104 over SHA-256, 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** RFC 2104 over SHA-512, 64 bytes. */
  hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array
  /** RFC 5869 extract and expand over SHA-256. */
  hkdfSha256(inputKey: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** NIST SP 800-38D with a 32-byte key, 12-byte nonce and 16-byte tag behind the ciphertext. */
  aes256GcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array
  /** The plaintext, or `undefined` if the tag does not match. */
  aes256GcmOpen(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, aad?: Uint8Array): Uint8Array | undefined
  /** RFC 8032: public key (32 bytes) of a 32-byte seed. */
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** RFC 8032: 64-byte signature. */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** RFC 8032, cofactorless, strict about canonical encodings; false for anything malformed, never an exception. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** Where the platform has it: AES-256-GCM over many chunks under one key. Same results as one call a chunk, faster. */
  readonly bulk?: BulkCipher
}

/** Sealing of many chunks under one key, without a new key schedule and a new array for each. */
export interface BulkCipher {
  /** Makes a 32-byte key ready for use. */
  prepareKey(key: Uint8Array): BulkKey
  /** Memory for a result that overwrites all of it; it may hold old bytes until then. */
  allocate(length: number): Uint8Array
}

/** One prepared AES-256-GCM key. */
export interface BulkKey {
  /** Writes the ciphertext and its 16-byte tag to `out` from `offset` on. */
  sealInto(nonce: Uint8Array, plaintext: Uint8Array, out: Uint8Array, offset: number): void
  /** Writes the plaintext to `out` from `offset` on; false, and nothing written, if the tag does not match. */
  openInto(nonce: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, offset: number): boolean
}

/** Source of randomness: `length` uniformly random bytes, fresh at every call. */
export type Random = (length: number) => Uint8Array

/** Source of time: milliseconds since 1970-01-01T00:00:00Z. */
export type Clock = () => number
