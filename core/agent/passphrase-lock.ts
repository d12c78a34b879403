/** The lock of a vault that a passphrase opens (docs/specs/vault.md). */
import { utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'
import type { Random } from '#core/crypto/primitives.ts'
import type { ScryptCost, Stretch } from '#core/crypto/scrypt.ts'
import type { Unlocker } from '#core/agent/vault.ts'

const AREA = 'PASSPHRASE_LOCK'
const MAX_BYTES = 256
const SALT_BYTES = 16
const SCRYPT = 'scrypt'

/** 128 MiB, a third of a second on a small computer. */
export const SCRYPT_COST: ScryptCost = { logN: 17, r: 8, p: 1 }

/** A file may ask for more than today's cost, but never for more than this: it is read before anyone is proven honest. */
const MAX_COST: ScryptCost = { logN: 20, r: 8, p: 4 }
const MIN_LOG_N = 14

/** Makes the unlocker of a passphrase. */
export function passphraseUnlocker(
  stretch: Stretch,
  random: Random,
  { passphrase, cost = SCRYPT_COST }: { readonly passphrase: string; readonly cost?: ScryptCost }
): Unlocker {
  return {
    kind: 'passphrase',
    enrol: () => encodeCanonical({ v: 1, kdf: SCRYPT, ...cost, salt: random(SALT_BYTES) }),
    async keyOf(parameters) {
      const { salt, ...asked } = decodeParameters(parameters)
      const bytes = utf8(normalForm(passphrase))
      try {
        return await stretch(bytes, salt, asked)
      } finally {
        bytes.fill(0)
      }
    }
  }
}

/** One form of what looks the same: keyboards write an accented letter in one code point or in two. */
export function normalForm(passphrase: string): string {
  return passphrase.normalize('NFKC')
}

/**
 * Reads what a lock says of its cost, within bounds.
 *
 * @throws SalusError `PASSPHRASE_LOCK_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `PASSPHRASE_LOCK_KDF` (another function), `PASSPHRASE_LOCK_COST` (out of bounds)
 */
function decodeParameters(bytes: Uint8Array): ScryptCost & { salt: Uint8Array } {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'kdf', 'logN', 'r', 'p', 'salt'])
  if (readText(map['kdf'], AREA, 'kdf', 32) !== SCRYPT) {
    throw new SalusError('PASSPHRASE_LOCK_KDF', 'This vault stretches its passphrase in a way that this version lacks.')
  }
  const read = {
    logN: readUint(map['logN'], AREA, 'logN'),
    r: readUint(map['r'], AREA, 'r'),
    p: readUint(map['p'], AREA, 'p'),
    salt: readBytes(map['salt'], AREA, 'salt', SALT_BYTES)
  }
  const isWithin =
    read.logN >= MIN_LOG_N && read.logN <= MAX_COST.logN && read.r === MAX_COST.r && read.p >= 1 && read.p <= MAX_COST.p
  if (!isWithin) {
    throw new SalusError('PASSPHRASE_LOCK_COST', 'Refused: the vault asks for less or more work than is sound.')
  }
  return read
}
