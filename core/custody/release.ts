/** A share that its keeper hands on, sealed to who may have it and signed by the keeper (docs/specs/share-plan.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SUITE_SIZES, hpkeOpen, hpkeSeal, isSuiteId, type SuiteId } from '#core/crypto/hpke.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { MAX_SHARES } from '#core/custody/plan.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import type { KemKey } from '#core/identity/key-bundle.ts'

const AREA = 'SHARE_RELEASE'
const LABEL = 'salus/share-release/1'
const INFO = utf8('salus/share-release/1')
const SHARE_BYTES = 33

/** The most bytes a release may have. */
export const MAX_SHARE_RELEASE_BYTES = 2048

/** The open part of a release; all of it is bound to the sealed share. */
export interface ReleaseHeader {
  /** SHA-256 of the encoded plan. */
  readonly plan: Uint8Array
  readonly index: number
  /** SHA-256 of the request that the share is released for. */
  readonly request: Uint8Array
  /** Number of the receipt in the keeper's log; null of a keeper that is a person. */
  readonly receipt: number | null
  readonly suite: SuiteId
  /** keccak-256 of the public key it is sealed to. */
  readonly kemKey: Uint8Array
  /** The keeper's Ed25519 public key. */
  readonly keeper: Uint8Array
}

/** A release as read. */
export interface ShareRelease extends ReleaseHeader {
  readonly encapsulation: Uint8Array
  readonly ciphertext: Uint8Array
  readonly signature: Uint8Array
}

function headerFields({
  plan,
  index,
  request,
  receipt,
  suite,
  kemKey,
  keeper
}: ReleaseHeader): Record<string, unknown> {
  return { v: 1, plan, index, request, receipt, suite, kemKey, keeper }
}

function signedFields(release: Omit<ShareRelease, 'signature'>): Record<string, unknown> {
  return { ...headerFields(release), enc: release.encapsulation, ct: release.ciphertext }
}

/** The bytes of a share on its way to who may have it. */
export async function sealRelease(
  p: Primitives,
  random: Random,
  input: {
    readonly header: Omit<ReleaseHeader, 'suite' | 'kemKey' | 'keeper'>
    readonly share: Uint8Array
    readonly to: KemKey
    readonly keeper: Pick<AgentKeys, 'signSeed' | 'bundle'>
  }
): Promise<Uint8Array> {
  const { share, to, keeper } = input
  const header = { ...input.header, suite: to.suite, kemKey: keccak_256(to.publicKey), keeper: keeper.bundle.sign }
  const aad = encodeCanonical(headerFields(header))
  const sealed = await hpkeSeal(random, to, { info: INFO, aad, plaintext: share })
  const fields = signedFields({ ...header, ...sealed })
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(keeper.signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a release without opening it.
 *
 * @throws SalusError `SHARE_RELEASE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`
 */
export function decodeShareRelease(bytes: Uint8Array): ShareRelease {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SHARE_RELEASE_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'plan', 'index', 'request', 'receipt', 'suite', 'kemKey', 'keeper', 'enc', 'ct', 'sig']
  const map = readMap(value, AREA, fields)
  const suite = readUint(map['suite'], AREA, 'suite', 255)
  if (!isSuiteId(suite)) {
    throw new SalusError('SHARE_RELEASE_SHAPE', 'Refused: an encryption suite unknown to this version.')
  }
  return {
    plan: readBytes(map['plan'], AREA, 'plan', 32),
    index: readUint(map['index'], AREA, 'index', MAX_SHARES - 1),
    request: readBytes(map['request'], AREA, 'request', 32),
    receipt: map['receipt'] === null ? null : readUint(map['receipt'], AREA, 'receipt'),
    suite,
    kemKey: readBytes(map['kemKey'], AREA, 'kemKey', 32),
    keeper: readBytes(map['keeper'], AREA, 'keeper', 32),
    encapsulation: readBytes(map['enc'], AREA, 'enc', SUITE_SIZES[suite].encapsulationBytes),
    ciphertext: readBytes(map['ct'], AREA, 'ct', SHARE_BYTES + 16),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
}

/** Tells whether the keeper named in the release signed it. */
export function verifyShareRelease(p: Primitives, release: ShareRelease): boolean {
  return p.ed25519Verify(release.keeper, signingInput(LABEL, signedFields(release)), release.signature)
}

/**
 * The share inside.
 *
 * @throws SalusError `SHARE_RELEASE_RECIPIENT` (sealed to none of these keys), `HPKE_OPEN`
 */
export async function openRelease(release: ShareRelease, keys: Pick<AgentKeys, 'kemSecrets'>): Promise<Uint8Array> {
  const as = keys.kemSecrets.find(
    key => key.suite === release.suite && equalBytes(keccak_256(key.publicKey), release.kemKey)
  )
  if (as == null) throw new SalusError('SHARE_RELEASE_RECIPIENT', 'This share is sealed to another key.')
  return await hpkeOpen(as, { ...release, info: INFO, aad: encodeCanonical(headerFields(release)) })
}
