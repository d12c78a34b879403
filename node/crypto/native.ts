/** {@link Primitives} by Node's OpenSSL. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hash,
  hkdfSync,
  sign,
  verify,
  type KeyObject
} from 'node:crypto'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { isStrictPublicKey } from '#core/crypto/ed25519-strict.ts'
import type { BulkCipher, Primitives } from '#core/crypto/primitives.ts'

const CIPHER = 'aes-256-gcm'
const TAG_BYTES = 16
const HASH_BYTES = 32
/** RFC 8410: what stands before the 32 bytes in PKCS #8 and in SubjectPublicKeyInfo. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
const SPKI_PREFIX = fromHex('302a300506032b6570032100')

/** A plain view: callers compare and encode these, and a Buffer is not one everywhere. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(concat(PKCS8_PREFIX, seed)), format: 'der', type: 'pkcs8' })
}

/**
 * Moves what a cipher gave into its place and gives the cipher's memory back at once. Left to the collector, each chunk
 * would be written to fresh pages: measured at 16 MiB, half the time went into the kernel.
 */
function moveInto(part: Buffer<ArrayBuffer>, out: Uint8Array, offset: number): void {
  out.set(part, offset)
  if (part.buffer.byteLength === part.length) part.buffer.transfer(0)
}

function sealInto(
  key: KeyObject,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  out: Uint8Array,
  offset: number,
  aad?: Uint8Array
): void {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  if (aad != null) cipher.setAAD(aad)
  moveInto(cipher.update(plaintext), out, offset)
  cipher.final()
  out.set(cipher.getAuthTag(), offset + plaintext.length)
}

/** The plaintext, or `undefined` if the tag does not match. */
function open(
  key: KeyObject,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  aad?: Uint8Array
): Buffer<ArrayBuffer> | undefined {
  const end = ciphertext.length - TAG_BYTES
  if (end < 0) return undefined
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(ciphertext.subarray(end))
  if (aad != null) decipher.setAAD(aad)
  const plaintext = decipher.update(ciphertext.subarray(0, end))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plaintext
}

const bulk: BulkCipher = {
  prepareKey(bytes) {
    const key = createSecretKey(bytes)
    return {
      sealInto(nonce, plaintext, out, offset) {
        sealInto(key, nonce, plaintext, out, offset)
      },
      openInto(nonce, ciphertext, out, offset) {
        const plaintext = open(key, nonce, ciphertext)
        if (plaintext != null) moveInto(plaintext, out, offset)
        return plaintext != null
      }
    }
  },
  allocate: length => plain(Buffer.allocUnsafeSlow(length))
}

/** A log of a hundred thousand entries has few authors: making the key object anew takes a third of a check. */
const MAX_KEPT_KEYS = 256
const keptKeys = new Map<string, KeyObject>()

/** The key object of 32 bytes that are a strict public key, made once while it is among the last new ones. */
function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString('latin1')
  const kept = keptKeys.get(name)
  if (kept != null) return kept
  const key = createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' })
  const [oldest] = keptKeys.keys()
  if (oldest != null && keptKeys.size >= MAX_KEPT_KEYS) keptKeys.delete(oldest)
  keptKeys.set(name, key)
  return key
}

/** Above, one pass over the data without a copy is faster. */
const SHORT_BYTES = 1024
const BLOCK_BYTES = 64
const INNER = 0x36
const OUTER = 0x5c

/**
 * RFC 2104 as two one-shot hashes. For the short inputs of key trees that takes half the time of an HMAC object with its
 * key object.
 */
function shortHmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const inner = new Uint8Array(BLOCK_BYTES + data.length).fill(INNER, 0, BLOCK_BYTES)
  const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES).fill(OUTER, 0, BLOCK_BYTES)
  for (let i = 0; i < key.length; i++) {
    inner[i] = INNER ^ (key[i] ?? 0)
    outer[i] = OUTER ^ (key[i] ?? 0)
  }
  inner.set(data, BLOCK_BYTES)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK_BYTES)
  const mac = plain(hash('sha256', outer, 'buffer'))
  inner.fill(0)
  outer.fill(0)
  return mac
}

/**
 * The primitives by OpenSSL, for nodes, gateways and agents that run on Node. Keys are handed over as key objects: given
 * raw bytes, Node takes three times as long for a short HMAC or message (20 against 7 microseconds, measured).
 */
export const nativePrimitives: Primitives = {
  sha256: data => plain(hash('sha256', data, 'buffer')),
  hmacSha256: (key, data) =>
    key.length <= BLOCK_BYTES && data.length <= SHORT_BYTES
      ? shortHmacSha256(key, data)
      : plain(createHmac('sha256', createSecretKey(key)).update(data).digest()),
  hmacSha512: (key, data) => plain(createHmac('sha512', createSecretKey(key)).update(data).digest()),
  hkdfSha256: (inputKey, salt, info, length) =>
    new Uint8Array(hkdfSync('sha256', createSecretKey(inputKey), salt, info, length)),

  aes256GcmSeal(key, nonce, plaintext, aad) {
    const out = new Uint8Array(plaintext.length + TAG_BYTES)
    sealInto(createSecretKey(key), nonce, plaintext, out, 0, aad)
    return out
  },

  aes256GcmOpen(key, nonce, ciphertext, aad) {
    const plaintext = open(createSecretKey(key), nonce, ciphertext, aad)
    return plaintext == null ? undefined : plain(plaintext)
  },

  ed25519PublicKey(seed) {
    const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
    return plain(spki).slice(SPKI_PREFIX.length)
  },

  ed25519Sign: (seed, message) => plain(sign(null, message, privateKey(seed))),

  ed25519Verify(publicKey, message, signature) {
    if (signature.length !== 64 || !isStrictPublicKey(publicKey)) return false
    return verify(null, message, publicKeyObject(publicKey), signature)
  },

  bulk
}
