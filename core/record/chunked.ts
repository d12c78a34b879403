/**
 * Key-committing, chunked, seekable AES-256-GCM (docs/specs/sealing.md): C2SP chunked-encryption, with the size of the chunks
 * as a parameter. With chunks of 16 KiB it is Cobblestone-256 to the byte; with any other size the derivation's info
 * string names that size, so that neither can be taken for the other.
 *
 * @see https://c2sp.org/chunked-encryption
 */
import { SalusError } from '#core/error.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import type { BulkKey, Primitives } from '#core/crypto/primitives.ts'

/** The chunk size that Salus seals with: 1 MiB, as fast as one call over everything (docs/specs/sealing.md has the figures). */
export const CHUNK_BYTES = 1_048_576

/** The chunk size of Cobblestone-256. */
export const C2SP_CHUNK_BYTES = 16_384

/** Bytes of a salt, which must never repeat under one key. */
export const SALT_BYTES = 24

const KEY_BYTES = 32
const NONCE_BYTES = 12
const COMMITMENT_BYTES = 32
const TAG_BYTES = 16
const PREFIX_BYTES = SALT_BYTES + COMMITMENT_BYTES

/** What both sides must agree on. */
export interface ChunkedParameters {
  /** 32 uniformly random bytes. */
  readonly key: Uint8Array
  /** Bound into the keys: opening with another context fails. */
  readonly context: Uint8Array
  /** Plaintext bytes of all chunks but the last, which is always shorter. */
  readonly chunkBytes?: number
}

interface MessageKeys {
  readonly key: Uint8Array
  readonly baseNonce: Uint8Array
  readonly commitment: Uint8Array
}

/** Length of the sealed form of `plaintextBytes`. */
export function sealedLength(plaintextBytes: number, chunkBytes: number = CHUNK_BYTES): number {
  return PREFIX_BYTES + plaintextBytes + TAG_BYTES * (Math.floor(plaintextBytes / chunkBytes) + 1)
}

/**
 * Length of what is sealed in `sealedBytes`.
 *
 * @throws SalusError `SEALED_TRUNCATED` if no message has that sealed length
 */
export function plaintextLength(sealedBytes: number, chunkBytes: number = CHUNK_BYTES): number {
  const body = sealedBytes - PREFIX_BYTES
  const last = body % (chunkBytes + TAG_BYTES)
  if (body < 0 || last < TAG_BYTES) {
    throw new SalusError('SEALED_TRUNCATED', 'Refused: the sealed bytes end too early; fetch them again.')
  }
  return Math.floor(body / (chunkBytes + TAG_BYTES)) * chunkBytes + last - TAG_BYTES
}

/** Seals: salt (24), commitment (32), then each chunk with its tag (16). */
export function sealChunked(
  p: Primitives,
  {
    key,
    salt,
    context,
    plaintext,
    chunkBytes = CHUNK_BYTES
  }: ChunkedParameters & { readonly salt: Uint8Array; readonly plaintext: Uint8Array }
): Uint8Array {
  const keys = deriveKeys(p, key, salt, context, chunkBytes)
  const cipher = prepareKey(p, keys.key)
  const out = allocate(p, sealedLength(plaintext.length, chunkBytes))
  out.set(salt, 0)
  out.set(keys.commitment, SALT_BYTES)
  let offset = PREFIX_BYTES
  for (let index = 0; index * chunkBytes <= plaintext.length; index++) {
    const chunk = plaintext.subarray(index * chunkBytes, (index + 1) * chunkBytes)
    cipher.sealInto(nonceOf(keys.baseNonce, index), chunk, out, offset)
    offset += chunk.length + TAG_BYTES
  }
  return out
}

/**
 * Opens a whole message.
 *
 * @throws SalusError `SEALED_TRUNCATED`, `SEALED_KEY` (another key or context), `SEALED_FORGED` (a byte was changed)
 */
export function openChunked(
  p: Primitives,
  parameters: ChunkedParameters & { readonly sealed: Uint8Array }
): Uint8Array {
  const length = plaintextLength(parameters.sealed.length, parameters.chunkBytes)
  return openRange(p, { ...parameters, from: 0, to: length })
}

/**
 * Opens the plaintext bytes `from` (included) to `to` (excluded), decrypting only the chunks they lie in and, for a range
 * that ends with the message, the last chunk, which proves the length.
 *
 * @throws SalusError `SEALED_RANGE` if the range lies outside the message, and as {@link openChunked}
 */
export function openRange(
  p: Primitives,
  {
    key,
    context,
    sealed,
    from,
    to,
    chunkBytes = CHUNK_BYTES
  }: ChunkedParameters & { readonly sealed: Uint8Array; readonly from: number; readonly to: number }
): Uint8Array {
  const length = plaintextLength(sealed.length, chunkBytes)
  if (from < 0 || to < from || to > length) {
    throw new SalusError('SEALED_RANGE', 'The range asked for lies outside the sealed content.')
  }
  const keys = deriveKeys(p, key, sealed.subarray(0, SALT_BYTES), context, chunkBytes)
  if (!equalBytes(keys.commitment, sealed.subarray(SALT_BYTES, PREFIX_BYTES))) {
    throw new SalusError('SEALED_KEY', 'Refused: sealed under another key, or for another place in the record.')
  }
  const cipher = prepareKey(p, keys.key)
  const out = allocate(p, to - from)
  const last = Math.floor((to === length ? length : to - 1) / chunkBytes)
  for (let index = Math.floor(from / chunkBytes); index <= last; index++) {
    const start = index * chunkBytes
    const chunkLength = Math.min(chunkBytes, length - start)
    const isWhole = from <= start && to >= start + chunkLength
    const target = isWhole ? out : new Uint8Array(chunkLength)
    const ciphertext = sealed
      .subarray(PREFIX_BYTES + index * (chunkBytes + TAG_BYTES))
      .subarray(0, chunkLength + TAG_BYTES)
    if (!cipher.openInto(nonceOf(keys.baseNonce, index), ciphertext, target, isWhole ? start - from : 0)) {
      throw new SalusError('SEALED_FORGED', 'Refused: the sealed bytes were altered.')
    }
    if (!isWhole) out.set(target.subarray(Math.max(0, from - start), to - start), Math.max(0, start - from))
  }
  return out
}

/** The platform's bulk cipher, or the same by single calls. */
function prepareKey(p: Primitives, key: Uint8Array): BulkKey {
  return (
    p.bulk?.prepareKey(key) ?? {
      sealInto(nonce, plaintext, out, offset) {
        out.set(p.aes256GcmSeal(key, nonce, plaintext), offset)
      },
      openInto(nonce, ciphertext, out, offset) {
        const plaintext = p.aes256GcmOpen(key, nonce, ciphertext)
        if (plaintext != null) out.set(plaintext, offset)
        return plaintext != null
      }
    }
  )
}

function allocate(p: Primitives, length: number): Uint8Array {
  return p.bulk?.allocate(length) ?? new Uint8Array(length)
}

/** HKDF-Expand over SHA-512, two blocks, written out: noble's refuses a pseudo-random key shorter than the hash. */
function deriveKeys(
  p: Primitives,
  inputKey: Uint8Array,
  salt: Uint8Array,
  context: Uint8Array,
  chunkBytes: number
): MessageKeys {
  const info = concat(utf8(infoPrefix(chunkBytes)), new Uint8Array(1), salt, context)
  const first = p.hmacSha512(inputKey, concat(info, Uint8Array.of(1)))
  const second = p.hmacSha512(inputKey, concat(first, info, Uint8Array.of(2)))
  const okm = concat(first, second)
  return {
    key: okm.subarray(0, KEY_BYTES),
    baseNonce: okm.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES),
    commitment: okm.subarray(KEY_BYTES + NONCE_BYTES, KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES)
  }
}

function infoPrefix(chunkBytes: number): string {
  return chunkBytes === C2SP_CHUNK_BYTES
    ? 'c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'
    : `salus/chunked-encryption/1+${String(chunkBytes)}+AEAD_AES_256_GCM`
}

/** The base nonce with the chunk's number, big-endian, combined into its last five bytes. */
function nonceOf(baseNonce: Uint8Array, index: number): Uint8Array {
  const nonce = baseNonce.slice()
  let rest = index
  for (let i = NONCE_BYTES - 1; rest > 0; i--) {
    nonce[i] = (nonce[i] ?? 0) ^ (rest & 0xff)
    rest = Math.floor(rest / 256)
  }
  return nonce
}
