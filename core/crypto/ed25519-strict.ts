/**
 * The keys that OpenSSL's and noble's Ed25519 would judge differently are refused before either is asked, so that a
 * signature is valid for every peer or for none.
 *
 * @see RFC 8032, section 5.1.3 and 5.1.7; "Taming the many EdDSAs", https://eprint.iacr.org/2020/1244
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, equalBytes } from '#core/encoding/bytes.ts'

const { Point } = ed25519
const FIELD_ORDER = 2n ** 255n - 19n
const GROUP_ORDER = Point.Fn.ORDER

/** The y coordinates of the eight points of small order: anyone can sign for those. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_ORDER - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303021540n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n
])

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}

/** Tells whether 32 bytes are a canonical encoding of a y coordinate that does not belong to a point of small order. */
export function isStrictPublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false
  const y = littleEndian(publicKey) & (2n ** 255n - 1n)
  return y < FIELD_ORDER && !SMALL_ORDER_Y.has(y)
}

/**
 * RFC 8032 verification without the cofactor: recomputes R and compares its bytes, as OpenSSL does. noble's own `verify`
 * multiplies by the cofactor and so accepts signatures that OpenSSL refuses.
 */
export function verifyStrict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || !isStrictPublicKey(publicKey)) return false
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= GROUP_ORDER) return false
  const key = decodePoint(publicKey)
  if (key == null) return false
  const challenge = littleEndian(sha512(concat(r, publicKey, message))) % GROUP_ORDER
  const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(challenge))
  return equalBytes(expected.toBytes(), r)
}

function decodePoint(publicKey: Uint8Array): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(publicKey)
  } catch {
    return undefined
  }
}
