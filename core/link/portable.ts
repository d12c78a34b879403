/** {@link LinkPrimitives} in pure JavaScript: for a sensor that has no OpenSSL, and as the second opinion in tests. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { TAG_BYTES, type LinkPrimitives } from '#core/link/primitives.ts'

/** The primitives by noble's audited libraries: the same results as `gateway/link/native.ts`, slower. */
export const portableLinkPrimitives: LinkPrimitives = {
  ...portablePrimitives,
  x25519PublicKey: secret => x25519.getPublicKey(secret),
  x25519(secret, publicKey) {
    try {
      return x25519.getSharedSecret(secret, publicKey)
    } catch {
      return undefined
    }
  },
  aead(bytes) {
    const key = bytes.slice()
    return {
      seal: (nonce, plaintext, aad) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
      open(nonce, ciphertext, aad) {
        if (ciphertext.length < TAG_BYTES) return undefined
        try {
          return chacha20poly1305(key, nonce, aad).decrypt(ciphertext)
        } catch {
          return undefined
        }
      }
    }
  }
}
