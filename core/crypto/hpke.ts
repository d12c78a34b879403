/**
 * Hybrid public key encryption in base mode, to three kinds of key (docs/specs/capsule.md).
 *
 * The KEMs take their randomness as `ekm`, so nothing here draws from the platform's generator; hashing, AES-GCM and
 * P-256 are the platform's WebCrypto, which `@hpke/core` finds by itself.
 *
 * @see RFC 9180; draft-connolly-cfrg-xwing-kem
 */
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { SalusError } from '#core/error.ts'
import type { Random } from '#core/crypto/primitives.ts'

/** 1 = X-Wing (hybrid, post-quantum), 2 = X25519 (small), 3 = P-256 (FIPS); all with HKDF-SHA256 and AES-256-GCM. */
export type SuiteId = 1 | 2 | 3

/** Sizes of one suite in bytes: public key, encapsulated key, and the randomness that one encapsulation takes. */
export interface SuiteSizes {
  readonly publicKeyBytes: number
  readonly encapsulationBytes: number
  readonly ekmBytes: number
}

/** The suites in order of preference. */
export const SUITE_IDS: readonly SuiteId[] = [1, 2, 3]

/** Sizes by suite, known before any key is parsed. */
export const SUITE_SIZES: Readonly<Record<SuiteId, SuiteSizes>> = {
  1: { publicKeyBytes: 1216, encapsulationBytes: 1120, ekmBytes: 64 },
  2: { publicKeyBytes: 32, encapsulationBytes: 32, ekmBytes: 32 },
  3: { publicKeyBytes: 65, encapsulationBytes: 65, ekmBytes: 32 }
}

/** A key pair of one suite, both halves in the suite's own byte form. */
export interface KemKeyPair {
  readonly suite: SuiteId
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** What one encryption gives: the encapsulated key and the ciphertext with its tag. */
export interface HpkeSealed {
  readonly encapsulation: Uint8Array
  readonly ciphertext: Uint8Array
}

/** A key as the library holds it; its own type is WebCrypto's `CryptoKey`, which `core` has no declaration of. */
type LibraryKey = object

/** The part of the library's suite that is used here. */
interface HpkeSuite {
  readonly kem: {
    deriveKeyPair(ikm: ArrayBuffer): Promise<{ publicKey: LibraryKey; privateKey: LibraryKey }>
    serializePublicKey(key: LibraryKey): Promise<ArrayBuffer>
    serializePrivateKey(key: LibraryKey): Promise<ArrayBuffer>
    deserializePublicKey(bytes: ArrayBuffer): Promise<LibraryKey>
    deserializePrivateKey(bytes: ArrayBuffer): Promise<LibraryKey>
  }
  seal(
    to: { recipientPublicKey: LibraryKey; ekm: ArrayBuffer; info: ArrayBuffer },
    plaintext: ArrayBuffer,
    aad: ArrayBuffer
  ): Promise<{ enc: ArrayBuffer; ct: ArrayBuffer }>
  open(
    as: { recipientKey: LibraryKey; enc: ArrayBuffer; info: ArrayBuffer },
    ciphertext: ArrayBuffer,
    aad: ArrayBuffer
  ): Promise<ArrayBuffer>
}

/** A new one for each message: the library keeps state in its KEM objects. */
function suiteOf(suite: SuiteId): HpkeSuite {
  const kem = suite === 1 ? new XWing() : suite === 2 ? new DhkemX25519HkdfSha256() : new DhkemP256HkdfSha256()
  return new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
}

/** Tells whether a number names a suite that this version knows. */
export function isSuiteId(value: number): value is SuiteId {
  return value === 1 || value === 2 || value === 3
}

/** The key pair of a 32-byte seed (RFC 9180 `DeriveKeyPair`; for X-Wing the seed is stretched by SHAKE-256). */
export async function deriveKemKeyPair(suite: SuiteId, seed: Uint8Array): Promise<KemKeyPair> {
  const { kem } = suiteOf(suite)
  const pair = await kem.deriveKeyPair(exactBuffer(seed))
  const [publicKey, secretKey] = await Promise.all([
    kem.serializePublicKey(pair.publicKey),
    kem.serializePrivateKey(pair.privateKey)
  ])
  return { suite, publicKey: new Uint8Array(publicKey), secretKey: new Uint8Array(secretKey) }
}

/**
 * Encrypts to a public key.
 *
 * @throws SalusError `HPKE_PUBLIC_KEY` if the key is not one of this suite
 */
export async function hpkeSeal(
  random: Random,
  to: { readonly suite: SuiteId; readonly publicKey: Uint8Array },
  message: { readonly info: Uint8Array; readonly aad: Uint8Array; readonly plaintext: Uint8Array }
): Promise<HpkeSealed> {
  const suite = suiteOf(to.suite)
  const ekm = exactBuffer(random(SUITE_SIZES[to.suite].ekmBytes))
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(exactBuffer(to.publicKey))
    const sealed = await suite.seal(
      { recipientPublicKey, ekm, info: exactBuffer(message.info) },
      exactBuffer(message.plaintext),
      exactBuffer(message.aad)
    )
    return { encapsulation: new Uint8Array(sealed.enc), ciphertext: new Uint8Array(sealed.ct) }
  } catch (cause) {
    throw new SalusError(
      'HPKE_PUBLIC_KEY',
      'The recipient’s encryption key cannot be used; ask for a fresh key bundle.',
      { cause }
    )
  }
}

/**
 * Decrypts with a secret key.
 *
 * @throws SalusError `HPKE_OPEN` if the key, the associated data or the ciphertext is not the one it was sealed with
 */
export async function hpkeOpen(
  as: { readonly suite: SuiteId; readonly secretKey: Uint8Array },
  message: HpkeSealed & { readonly info: Uint8Array; readonly aad: Uint8Array }
): Promise<Uint8Array> {
  const suite = suiteOf(as.suite)
  try {
    const recipientKey = await suite.kem.deserializePrivateKey(exactBuffer(as.secretKey))
    const plaintext = await suite.open(
      { recipientKey, enc: exactBuffer(message.encapsulation), info: exactBuffer(message.info) },
      exactBuffer(message.ciphertext),
      exactBuffer(message.aad)
    )
    return new Uint8Array(plaintext)
  } catch (cause) {
    throw new SalusError('HPKE_OPEN', 'This was not sealed to this key, or it was altered.', { cause })
  }
}

/** The library wants buffers, and reads the whole buffer of a view: hand it one of exactly these bytes. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}
