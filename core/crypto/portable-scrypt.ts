import { scryptAsync } from '@noble/hashes/scrypt.js'
import type { Stretch } from '#core/crypto/scrypt.ts'

/** scrypt in pure JavaScript, for browsers; `node/crypto/native-scrypt.ts` gives the same, faster. */
export const portableStretch: Stretch = async (passphrase, salt, { logN, r, p }) =>
  scryptAsync(passphrase, salt, { N: 2 ** logN, r, p, dkLen: 32, maxmem: 2 ** 31 - 1 })
