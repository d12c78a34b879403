/** {@link Primitives} by Node's OpenSSL. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hash,
  hkdfSync,
  sign,
  verify,
  type KeyObject
} from 'node:crypto'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { isStrictPublicKey } from '#core/crypto/ed25519-strict.ts'
import type { Primitives } from '#core/crypto/primitives.ts'

const TAG_BYTES = 16
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

/** The primitives by OpenSSL, for nodes, gateways and agents that run on Node. */
export const nativePrimitives: Primitives = {
  sha256: data => plain(hash('sha256', data, 'buffer')),
  hmacSha256: (key, data) => plain(createHmac('sha256', key).update(data).digest()),
  hmacSha512: (key, data) => plain(createHmac('sha512', key).update(data).digest()),
  hkdfSha256: (inputKey, salt, info, length) => new Uint8Array(hkdfSync('sha256', inputKey, salt, info, length)),

  aes256GcmSeal(key, nonce, plaintext, aad) {
    const out = new Uint8Array(plaintext.length + TAG_BYTES)
    sealInto(key, nonce, plaintext, aad, out, 0)
    return out
  },

  aes256GcmOpen(key, nonce, ciphertext, aad) {
    const end = ciphertext.length - TAG_BYTES
    if (end < 0) return undefined
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(ciphertext.subarray(end))
    if (aad != null) decipher.setAAD(aad)
    const plaintext = decipher.update(ciphertext.subarray(0, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plain(plaintext)
  },

  ed25519PublicKey(seed) {
    const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
    return plain(spki).slice(SPKI_PREFIX.length)
  },

  ed25519Sign: (seed, message) => plain(sign(null, message, privateKey(seed))),

  ed25519Verify(publicKey, message, signature) {
    if (signature.length !== 64 || !isStrictPublicKey(publicKey)) return false
    const key = createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  }
}

function sealInto(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array | undefined,
  out: Uint8Array,
  offset: number
): void {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  if (aad != null) cipher.setAAD(aad)
  out.set(cipher.update(plaintext), offset)
  cipher.final()
  out.set(cipher.getAuthTag(), offset + plaintext.length)
}
