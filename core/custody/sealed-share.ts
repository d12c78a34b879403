/** One share, sealed to its keeper, with the plan it belongs to (docs/specs/share-plan.md). */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import type { Place } from '#core/encoding/place.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SUITE_SIZES, hpkeOpen, hpkeSeal, isSuiteId, type SuiteId } from '#core/crypto/hpke.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { commitShare } from '#core/custody/commitment.ts'
import {
  MAX_SHARES,
  MAX_SHARE_PLAN_BYTES,
  decodeSharePlan,
  verifySharePlan,
  type DecodedSharePlan
} from '#core/custody/plan.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import type { KemKey } from '#core/identity/key-bundle.ts'

const AREA = 'SEALED_SHARE'
const INFO = utf8('salus/sealed-share/1')
const CONTENT_AREA = 'SHARE_CONTENT'
const SHARE_BYTES = 33

/** The most bytes of the note that comes with a share. */
export const MAX_SHARE_NOTE_BYTES = 2048

const MAX_CONTENT_BYTES = MAX_SHARE_NOTE_BYTES + 128

/** The most bytes a sealed share may have. */
export const MAX_SEALED_SHARE_BYTES: number = MAX_SHARE_PLAN_BYTES + MAX_CONTENT_BYTES + 1120 + 256

/** A sealed share as read. */
export interface SealedShare {
  readonly plan: DecodedSharePlan
  /** Number of the share, from 0. */
  readonly index: number
  readonly suite: SuiteId
  /** keccak-256 of the public key it is sealed to. */
  readonly kemKey: Uint8Array
  readonly encapsulation: Uint8Array
  readonly ciphertext: Uint8Array
}

/** What a keeper holds. */
export interface ShareContent {
  /** 32 bytes and the place, as {@link SecretSharing} gives them. */
  readonly share: Uint8Array
  /** What the patient tells this keeper alone; empty where there is nothing to tell. */
  readonly note: Uint8Array
}

function aadOf(p: Primitives, planBytes: Uint8Array, index: number): Uint8Array {
  return encodeCanonical({ v: 1, plan: p.sha256(planBytes), index })
}

/** The bytes of a share, sealed to its keeper. */
export async function sealShare(
  p: Primitives,
  random: Random,
  input: {
    readonly planBytes: Uint8Array
    readonly index: number
    readonly content: ShareContent
    readonly to: KemKey
  }
): Promise<Uint8Array> {
  const { planBytes, index, content, to } = input
  const plaintext = encodeCanonical({ v: 1, ...content })
  const aad = aadOf(p, planBytes, index)
  const { encapsulation, ciphertext } = await hpkeSeal(random, to, { info: INFO, aad, plaintext })
  const kemKey = keccak_256(to.publicKey)
  return encodeCanonical({ v: 1, plan: planBytes, index, suite: to.suite, kemKey, enc: encapsulation, ct: ciphertext })
}

/**
 * Reads a sealed share without opening it.
 *
 * @throws SalusError `SEALED_SHARE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`; `SHARE_PLAN_*`
 */
export function decodeSealedShare(bytes: Uint8Array, expected: Place = {}): SealedShare {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SEALED_SHARE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'plan', 'index', 'suite', 'kemKey', 'enc', 'ct'])
  const planBytes = readBytes(map['plan'], AREA, 'plan', { min: 1, max: MAX_SHARE_PLAN_BYTES })
  const index = readUint(map['index'], AREA, 'index', MAX_SHARES - 1)
  const suite = readUint(map['suite'], AREA, 'suite', 255)
  if (!isSuiteId(suite)) {
    throw new SalusError('SEALED_SHARE_SHAPE', 'Refused: an encryption suite unknown to this version.')
  }
  const parts = {
    index,
    suite,
    kemKey: readBytes(map['kemKey'], AREA, 'kemKey', 32),
    encapsulation: readBytes(map['enc'], AREA, 'enc', SUITE_SIZES[suite].encapsulationBytes),
    ciphertext: readBytes(map['ct'], AREA, 'ct', { min: 16, max: MAX_CONTENT_BYTES + 16 })
  }
  const plan = decodeSharePlan(planBytes, expected)
  if (index >= plan.commitments.length) {
    throw new SalusError('SEALED_SHARE_SHAPE', 'Refused: the plan has no share of this number.')
  }
  return { plan, ...parts }
}

/**
 * Opens a share as its keeper and checks that it is the one that the patient committed to. That the plan's bundle is the
 * patient's, the chain says.
 *
 * @throws SalusError `SHARE_PLAN_SIGNATURE`, `SEALED_SHARE_RECIPIENT` (sealed to none of these keys), `SHARE_WRONG` (not the one that
 * was committed to), `HPKE_OPEN`, `SHARE_CONTENT_*`, `KEY_BUNDLE_*`
 */
export async function openShare(
  p: Primitives,
  sealed: SealedShare,
  keys: Pick<AgentKeys, 'kemSecrets'>
): Promise<ShareContent> {
  const { plan, index } = sealed
  if (!verifySharePlan(p, plan)) {
    throw new SalusError('SHARE_PLAN_SIGNATURE', 'Refused: the owner of the key bundle did not sign this plan.')
  }
  const as = keys.kemSecrets.find(
    key => key.suite === sealed.suite && equalBytes(keccak_256(key.publicKey), sealed.kemKey)
  )
  if (as == null) throw new SalusError('SEALED_SHARE_RECIPIENT', 'This share is sealed to another key.')
  const content = decodeContent(await hpkeOpen(as, { ...sealed, info: INFO, aad: aadOf(p, plan.bytes, index) }))
  if (!isShareOf(p, plan, index, content.share)) {
    throw new SalusError('SHARE_WRONG', 'Refused: this is not the share that the patient committed to.')
  }
  return content
}

/** Tells whether a share is the one of its number in the plan. */
export function isShareOf(p: Primitives, plan: DecodedSharePlan, index: number, share: Uint8Array): boolean {
  const commitment = plan.commitments[index]
  return commitment != null && equalBytes(commitment, commitShare(p, plan, index, share))
}

function decodeContent(bytes: Uint8Array): ShareContent {
  const value = decodeCanonical(bytes, { area: CONTENT_AREA, maxBytes: MAX_CONTENT_BYTES })
  readVersion(value, CONTENT_AREA)
  const map = readMap(value, CONTENT_AREA, ['v', 'share', 'note'])
  return {
    share: readBytes(map['share'], CONTENT_AREA, 'share', SHARE_BYTES),
    note: readBytes(map['note'], CONTENT_AREA, 'note', { min: 0, max: MAX_SHARE_NOTE_BYTES })
  }
}
