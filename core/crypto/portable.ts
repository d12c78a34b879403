/** {@link Primitives} in pure JavaScript, for browsers and wherever there is no OpenSSL. */
import { gcm } from '@noble/ciphers/aes.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { verifyStrict } from '#core/crypto/ed25519-strict.ts'
import type { Primitives } from '#core/crypto/primitives.ts'

/** The primitives by noble's audited libraries: the same results as `node/crypto/native.ts`, slower. */
export const portablePrimitives: Primitives = {
  sha256: data => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hmacSha512: (key, data) => hmac(sha512, key, data),
  hkdfSha256: (inputKey, salt, info, length) => hkdf(sha256, inputKey, salt, info, length),
  aes256GcmSeal: (key, nonce, plaintext, aad) => gcm(key, nonce, aad).encrypt(plaintext),
  aes256GcmOpen(key, nonce, ciphertext, aad) {
    if (ciphertext.length < 16) return undefined
    try {
      return gcm(key, nonce, aad).decrypt(ciphertext)
    } catch {
      return undefined
    }
  },
  ed25519PublicKey: seed => ed25519.getPublicKey(seed),
  ed25519Sign: (seed, message) => ed25519.sign(message, seed),
  ed25519Verify: verifyStrict
}
