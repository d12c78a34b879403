/** A person's or gateway's public keys (docs/specs/identity.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { isStrictPublicKey } from '#core/crypto/ed25519-strict.ts'
import { SUITE_SIZES, isSuiteId, type SuiteId } from '#core/crypto/hpke.ts'
import { readVersion } from '#core/encoding/version.ts'

const AREA = 'KEY_BUNDLE'
const MAX_SUITES = 8

/** The most bytes a key bundle may have. */
export const MAX_KEY_BUNDLE_BYTES = 4096

/** A public encryption key of one suite. */
export interface KemKey {
  readonly suite: SuiteId
  readonly publicKey: Uint8Array
}

/** One signing key and encryption keys of one or more suites, the suites rising. */
export interface KeyBundle {
  /** Ed25519, 32 bytes. */
  readonly sign: Uint8Array
  readonly kem: readonly KemKey[]
}

/** The canonical bytes of a bundle. */
export function encodeKeyBundle(bundle: KeyBundle): Uint8Array {
  const kem = bundle.kem.map(({ suite, publicKey }) => ({ suite, key: publicKey }))
  return encodeCanonical({ v: 1, sign: bundle.sign, kem })
}

/**
 * Reads a bundle.
 *
 * @throws SalusError `KEY_BUNDLE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeKeyBundle(bytes: Uint8Array): KeyBundle {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_KEY_BUNDLE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'sign', 'kem'])
  const sign = readBytes(map['sign'], AREA, 'sign', 32)
  const kem = readList(map['kem'], AREA, 'kem', MAX_SUITES, readKemKey)
  const rising = kem.every((key, i) => i === 0 || key.suite > (kem[i - 1]?.suite ?? 0))
  if (kem.length === 0 || !rising || !isStrictPublicKey(sign)) {
    throw new SalusError('KEY_BUNDLE_SHAPE', 'Refused: a key bundle needs a sound signing key and rising suites.')
  }
  return { sign, kem }
}

function readKemKey(value: unknown): KemKey {
  const map = readMap(value, AREA, ['suite', 'key'])
  const suite = readUint(map['suite'], AREA, 'suite', 255)
  if (!isSuiteId(suite))
    throw new SalusError('KEY_BUNDLE_SHAPE', 'Refused: an encryption suite unknown to this version.')
  return { suite, publicKey: readBytes(map['key'], AREA, 'key', SUITE_SIZES[suite].publicKeyBytes) }
}

/** The digest of a bundle's bytes that the chain keeps: keccak-256, 32 bytes. */
export function keyBundleDigest(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes)
}
