import { scrypt } from 'node:crypto'
import type { Stretch } from '#core/crypto/scrypt.ts'

/** scrypt by OpenSSL, off the main thread. */
export const nativeStretch: Stretch = async (passphrase, salt, { logN, r, p }) => {
  const N = 2 ** logN
  // OpenSSL counts a little more than the textbook's 128·N·r.
  const maxmem = 128 * N * r + 128 * r * p + (1 << 20)
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, { N, r, p, maxmem }, (error, key) => {
      if (error == null) resolve(new Uint8Array(key))
      else reject(error)
    })
  })
}
