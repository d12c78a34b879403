/** Records of emergencies, and breaking the glass without a network: the record first, then the shares (docs/specs/break-glass.md). */
import { base64url } from 'multiformats/bases/base64'
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readPlace, type Place } from '#core/encoding/place.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import type { SecretSharing } from '#core/crypto/secret-sharing.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { openPayload } from '#core/custody/combine.ts'
import { MAX_SHARES, verifySharePlan, type DecodedSharePlan } from '#core/custody/plan.ts'
import { MAX_SEALED_REASON_BYTES } from '#core/custody/sealed-reason.ts'
import { isShareOf } from '#core/custody/sealed-share.ts'
import { decodeSharedKeys, type SharedKeys } from '#core/custody/shared-keys.ts'
import { MAX_EVIDENCE_BYTES, decodeEvidence } from '#core/identity/evidence.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'

const AREA = 'GLASS_RECORD'
const CARD_AREA = 'SHARE_CARD'
const LABEL = 'salus/glass-record/1'
const CARD_PREFIX = 'salus:card/1/'
const SHARE_BYTES = 33
const MAX_CARD_BYTES = 128

/** Longest time for which an emergency without a network opens anything, seconds; the contract's bound as well. */
export const MAX_GLASS_S = 86_400

/** The most bytes a record may have. */
export const MAX_GLASS_RECORD_BYTES: number = MAX_EVIDENCE_BYTES + MAX_SEALED_REASON_BYTES + 512

/** Who broke the glass, of what, when, why. */
export interface GlassRecord {
  readonly network: Uint8Array
  readonly patient: Uint8Array
  /** SHA-256 of the plan whose shares are put together. */
  readonly plan: Uint8Array
  /** The responder's credential, 32 bytes. */
  readonly credential: Uint8Array
  /** keccak-256 of the salted reason, as `EmergencyAccess` takes it. */
  readonly reason: Uint8Array
  /** The reason itself, sealed (core/custody/sealed-reason.ts); empty where it is told otherwise. */
  readonly sealedReason: Uint8Array
  /** Milliseconds since 1970-01-01, by the responder's clock. */
  readonly atMs: number
  /** For how long it is needed, seconds. */
  readonly durationS: number
  /** 16 random bytes. */
  readonly nonce: Uint8Array
  /** Ed25519 public key of the responder. */
  readonly author: Uint8Array
  /** Encoded evidence: the responder's key bundle, bound to the address that holds the credential. */
  readonly evidence: Uint8Array
}

/** A record as read. */
export interface DecodedGlassRecord extends GlassRecord {
  readonly signature: Uint8Array
}

function fieldsOf({ atMs, durationS, ...rest }: GlassRecord): Record<string, unknown> {
  return { v: 1, ...rest, at: atMs, duration: durationS }
}

/** The bytes of a signed record. */
export function signGlassRecord(p: Primitives, record: GlassRecord, signSeed: Uint8Array): Uint8Array {
  const fields = fieldsOf(record)
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads a record.
 *
 * @throws SalusError `GLASS_RECORD_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`,
 * `_VERSION`, `_SHAPE`, `_NETWORK`, `_PATIENT`
 */
export function decodeGlassRecord(bytes: Uint8Array, expected: Place = {}): DecodedGlassRecord {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_GLASS_RECORD_BYTES })
  readVersion(value, AREA)
  const fields = [
    'v',
    'network',
    'patient',
    'plan',
    'credential',
    'reason',
    'sealedReason',
    'at',
    'duration',
    'nonce',
    'author',
    'evidence'
  ]
  const map = readMap(value, AREA, [...fields, 'sig'])
  const durationS = readUint(map['duration'], AREA, 'duration', MAX_GLASS_S)
  if (durationS === 0) throw new SalusError('GLASS_RECORD_SHAPE', 'Refused: an emergency lasts some time.')
  return {
    ...readPlace(map, AREA, expected),
    plan: readBytes(map['plan'], AREA, 'plan', 32),
    credential: readBytes(map['credential'], AREA, 'credential', 32),
    reason: readBytes(map['reason'], AREA, 'reason', 32),
    sealedReason: readBytes(map['sealedReason'], AREA, 'sealedReason', { min: 0, max: MAX_SEALED_REASON_BYTES }),
    atMs: readUint(map['at'], AREA, 'at'),
    durationS,
    nonce: readBytes(map['nonce'], AREA, 'nonce', 16),
    author: readBytes(map['author'], AREA, 'author', 32),
    evidence: readBytes(map['evidence'], AREA, 'evidence', { min: 1, max: MAX_EVIDENCE_BYTES }),
    signature: readBytes(map['sig'], AREA, 'sig', 64)
  }
}

/**
 * Tells whether the author named in the record signed it, and its evidence is of this author. Whether it holds the credential, the
 * chain says.
 *
 * @throws SalusError `EVIDENCE_*`, `KEY_BUNDLE_*` if the evidence inside is malformed
 */
export function verifyGlassRecord(p: Primitives, { signature, ...record }: DecodedGlassRecord): boolean {
  const { sign } = decodeKeyBundle(decodeEvidence(record.evidence).bundle)
  return (
    equalBytes(sign, record.author) && p.ed25519Verify(record.author, signingInput(LABEL, fieldsOf(record)), signature)
  )
}

/** One share outside of any seal: what a patient's card shows, or what a guardian or regional service hands to a crew. */
export interface OpenShare {
  /** SHA-256 of the plan. */
  readonly plan: Uint8Array
  readonly index: number
  readonly share: Uint8Array
}

/** The text that a card shows as QR code. Whoever reads the card has one share, which alone opens nothing. */
export function encodeShareCard({ plan, index, share }: OpenShare): string {
  return CARD_PREFIX + base64url.baseEncode(encodeCanonical({ v: 1, plan, index, share }))
}

/**
 * Reads a card.
 *
 * @throws SalusError `SHARE_CARD_MALFORMED` if it is no card, and the other `SHARE_CARD_*` codes of the canonical decoder; `SHARE_CARD_VERSION`,
 * `SHARE_CARD_SHAPE`
 */
export function readShareCard(text: string): OpenShare {
  const value = decodeCanonical(bytesOfCard(text), { area: CARD_AREA, maxBytes: MAX_CARD_BYTES })
  readVersion(value, CARD_AREA)
  const map = readMap(value, CARD_AREA, ['v', 'plan', 'index', 'share'])
  return {
    plan: readBytes(map['plan'], CARD_AREA, 'plan', 32),
    index: readUint(map['index'], CARD_AREA, 'index', MAX_SHARES - 1),
    share: readBytes(map['share'], CARD_AREA, 'share', SHARE_BYTES)
  }
}

function bytesOfCard(text: string): Uint8Array {
  try {
    if (text.startsWith(CARD_PREFIX)) return base64url.baseDecode(text.slice(CARD_PREFIX.length))
  } catch {
    // Said below.
  }
  throw new SalusError('SHARE_CARD_MALFORMED', 'This is no emergency card of Salus.')
}

/**
 * Puts shares of an emergency together without a network. The signed record comes first: without one there are no keys, and the
 * caller has stored it before it asks.
 *
 * @param nowMs - by the responder's clock
 * @throws SalusError `SHARE_PLAN_SIGNATURE`, `SHARE_RULE` (not for emergencies without a network), `GLASS_RECORD_*`; `GLASS_RECORD_SIGNATURE`,
 * `GLASS_RECORD_PLAN` (of other shares), `GLASS_RECORD_OVER` (its time is over, or has not come), `SHARE_PLAN_EXPIRED`, `SHARE_WRONG`,
 * `SHARES_TOO_FEW`, `SHARED_SECRET`, `SHARED_KEYS_*`
 */
export async function openOffline(
  tools: { readonly p: Primitives; readonly sharing: SecretSharing },
  plan: DecodedSharePlan,
  recordBytes: Uint8Array,
  shares: readonly OpenShare[],
  nowMs: number
): Promise<SharedKeys> {
  const { p } = tools
  const digest = p.sha256(plan.bytes)
  const record = decodeGlassRecord(recordBytes, plan)
  refuseUnless(verifySharePlan(p, plan), 'SHARE_PLAN_SIGNATURE', 'the owner of the key bundle did not sign this plan')
  refuseUnless(plan.rule === 'offline-glass', 'SHARE_RULE', 'these shares are not for an emergency without a network')
  refuseUnless(plan.notAfterS == null || nowMs <= plan.notAfterS * 1000, 'SHARE_PLAN_EXPIRED', 'the plan is too old')
  refuseUnless(verifyGlassRecord(p, record), 'GLASS_RECORD_SIGNATURE', 'the responder did not sign the record')
  refuseUnless(equalBytes(record.plan, digest), 'GLASS_RECORD_PLAN', 'the record is of other shares')
  const isNow = nowMs >= record.atMs && nowMs < record.atMs + record.durationS * 1000
  refuseUnless(isNow, 'GLASS_RECORD_OVER', 'the time that the record names is not now')
  const sound = new Map<number, Uint8Array>()
  for (const { plan: of, index, share } of shares) {
    const isSound = equalBytes(of, digest) && isShareOf(p, plan, index, share)
    refuseUnless(isSound, 'SHARE_WRONG', `share ${String(index + 1)} is not the one that the patient committed to`)
    sound.set(index, share)
  }
  refuseUnless(sound.size >= plan.threshold, 'SHARES_TOO_FEW', `it takes ${String(plan.threshold)} shares`)
  return decodeSharedKeys(await openPayload(tools, plan, Array.from(sound.values()).slice(0, plan.threshold)))
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
