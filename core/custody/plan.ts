/** What a patient says of a secret that it shared out: who may get it together, and when (docs/specs/share-plan.md). */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { MAX_CAPSULE_KEYS_BYTES } from '#core/grant/capsule-keys.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { MAX_KEY_BUNDLE_BYTES, decodeKeyBundle } from '#core/identity/key-bundle.ts'

const AREA = 'SHARE_PLAN'
const LABEL = 'salus/share-plan/1'
const UINT32_MAX = 0xffff_ffff
const FIELDS = ['v', 'network', 'patient', 'rule', 'subject', 'revision', 'threshold', 'commitments', 'secret']

/** The most shares of one secret. */
export const MAX_SHARES = 32

/** The most bytes of what the shared key seals. */
export const MAX_SHARED_PAYLOAD_BYTES: number = MAX_CAPSULE_KEYS_BYTES + 1024

/** The most bytes a plan may have. */
export const MAX_SHARE_PLAN_BYTES: number = MAX_SHARED_PAYLOAD_BYTES + MAX_KEY_BUNDLE_BYTES + 36 * MAX_SHARES + 512

/**
 * When a keeper hands its share on: `recovery` of the patient on the chain; a final `claim` of a one-time grant; an emergency that was
 * declared on the chain (`glass`); a signed record of an emergency made without a network (`offline-glass`).
 */
export const RELEASE_RULES = ['recovery', 'claim', 'glass', 'offline-glass'] as const

/** See {@link RELEASE_RULES}. */
export type ReleaseRule = (typeof RELEASE_RULES)[number]

/** What holds for all shares of one secret. */
export interface SharePlan {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  readonly rule: ReleaseRule
  /** Grant id, 32 bytes, for `claim`; null otherwise. */
  readonly subject: Uint8Array | null
  /** Counts from 1 for each patient, rule and subject: a higher one takes the place of all before. */
  readonly revision: number
  /** So many shares give the secret. */
  readonly threshold: number
  /** Commitment to each share, in the order of their numbers (core/custody/commitment.ts), 32 bytes each. */
  readonly commitments: readonly Uint8Array[]
  /** Commitment to the shared key. */
  readonly secret: Uint8Array
  /** Nonce and ciphertext of what the shared key opens. */
  readonly sealed: { readonly nonce: Uint8Array; readonly ciphertext: Uint8Array }
  /** Seconds since 1970 after which keepers delete their shares; null for never. */
  readonly notAfterS: number | null
}

/** A plan as read. */
export interface DecodedSharePlan extends SharePlan {
  /** The patient's key bundle, whose digest is on the chain; its signing key signs the plan. */
  readonly bundle: Uint8Array
  readonly signature: Uint8Array
  /** The encoded plan. */
  readonly bytes: Uint8Array
}

function signedFields(plan: SharePlan & Pick<DecodedSharePlan, 'bundle'>): Record<string, unknown> {
  const { network, patient, rule, subject, revision, threshold, commitments, secret, sealed, bundle } = plan
  const about = { network, patient, rule, subject, revision, threshold, commitments, secret }
  return { v: 1, ...about, nonce: sealed.nonce, sealed: sealed.ciphertext, notAfter: plan.notAfterS, bundle }
}

/** The bytes of a signed plan. */
export function signSharePlan(
  p: Primitives,
  plan: SharePlan,
  keys: Pick<AgentKeys, 'signSeed' | 'bundleBytes'>
): Uint8Array {
  const fields = signedFields({ ...plan, bundle: keys.bundleBytes })
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(keys.signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a plan.
 *
 * @throws SalusError `SHARE_PLAN_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeSharePlan(bytes: Uint8Array, expected: Place = {}): DecodedSharePlan {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_SHARE_PLAN_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, [...FIELDS, 'nonce', 'sealed', 'notAfter', 'bundle', 'sig'])
  const rule = readRule(map['rule'])
  const commitments = readList(map['commitments'], AREA, 'commitments', MAX_SHARES, item =>
    readBytes(item, AREA, 'commitments', 32)
  )
  const plan = {
    ...readPlace(map, AREA, expected),
    rule,
    subject: map['subject'] === null ? null : readBytes(map['subject'], AREA, 'subject', 32),
    revision: readUint(map['revision'], AREA, 'revision', UINT32_MAX),
    threshold: readUint(map['threshold'], AREA, 'threshold', MAX_SHARES),
    commitments,
    secret: readBytes(map['secret'], AREA, 'secret', 32),
    sealed: {
      nonce: readBytes(map['nonce'], AREA, 'nonce', 12),
      ciphertext: readBytes(map['sealed'], AREA, 'sealed', { min: 16, max: MAX_SHARED_PAYLOAD_BYTES + 16 })
    },
    notAfterS: map['notAfter'] === null ? null : readUint(map['notAfter'], AREA, 'notAfter'),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_KEY_BUNDLE_BYTES }),
    signature: readBytes(map['sig'], AREA, 'sig', 64),
    bytes
  }
  const isSound =
    plan.revision > 0 &&
    plan.threshold >= 2 &&
    plan.threshold <= commitments.length &&
    (plan.subject != null) === (rule === 'claim')
  if (!isSound) {
    throw new SalusError(
      'SHARE_PLAN_SHAPE',
      'Refused: the plan’s numbers, its rule and its subject contradict each other.'
    )
  }
  return plan
}

function readRule(value: unknown): ReleaseRule {
  const text = readText(value, AREA, 'rule', 16)
  const rule = RELEASE_RULES.find(each => each === text)
  if (rule == null) throw new SalusError('SHARE_PLAN_SHAPE', 'Refused: a rule of release unknown to this version.')
  return rule
}

/**
 * Tells whether the owner of the plan's bundle signed it. That the bundle is the patient's, the chain says.
 *
 * @throws SalusError `KEY_BUNDLE_*` if the bundle inside is malformed
 */
export function verifySharePlan(p: Primitives, plan: DecodedSharePlan): boolean {
  const { sign } = decodeKeyBundle(plan.bundle)
  return p.ed25519Verify(sign, signingInput(LABEL, signedFields(plan)), plan.signature)
}
