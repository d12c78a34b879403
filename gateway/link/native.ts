/** {@link LinkPrimitives} by Node's OpenSSL. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject
} from 'node:crypto'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { TAG_BYTES, type Aead, type LinkPrimitives } from '#core/link/primitives.ts'
import { nativePrimitives } from '#node/crypto/native.ts'

const CIPHER = 'chacha20-poly1305'
const OPTIONS = { authTagLength: TAG_BYTES }
/** RFC 8410: what stands before the 32 bytes in PKCS #8 and in SubjectPublicKeyInfo. */
const PKCS8_PREFIX = fromHex('302e020100300506032b656e04220420')
const SPKI_PREFIX = fromHex('302a300506032b656e032100')

function secretObject(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(concat(PKCS8_PREFIX, secret)), format: 'der', type: 'pkcs8' })
}

function publicObject(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: 'der', type: 'spki' })
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** ChaCha20-Poly1305 with the key object made once. */
function aead(bytes: Uint8Array): Aead {
  const key = createSecretKey(bytes)
  return {
    seal(nonce, plaintext, aad) {
      const cipher = createCipheriv(CIPHER, key, nonce, OPTIONS)
      cipher.setAAD(aad, { plaintextLength: plaintext.length })
      const out = new Uint8Array(plaintext.length + TAG_BYTES)
      out.set(cipher.update(plaintext))
      cipher.final()
      out.set(cipher.getAuthTag(), plaintext.length)
      return out
    },
    open(nonce, ciphertext, aad) {
      const end = ciphertext.length - TAG_BYTES
      if (end < 0) return undefined
      const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS)
      decipher.setAuthTag(ciphertext.subarray(end))
      decipher.setAAD(aad, { plaintextLength: end })
      const plaintext = decipher.update(ciphertext.subarray(0, end))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      return plain(plaintext)
    }
  }
}

/** The primitives by OpenSSL, for gateways and reference sensors that run on Node. */
export const nativeLinkPrimitives: LinkPrimitives = {
  ...nativePrimitives,
  x25519PublicKey(secret) {
    const spki = createPublicKey(secretObject(secret)).export({ format: 'der', type: 'spki' })
    return plain(spki).slice(SPKI_PREFIX.length)
  },
  x25519(secret, publicKey) {
    try {
      return plain(diffieHellman({ privateKey: secretObject(secret), publicKey: publicObject(publicKey) }))
    } catch {
      // OpenSSL refuses what would give all zeros.
      return undefined
    }
  },
  aead
}
