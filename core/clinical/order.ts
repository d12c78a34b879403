/**
 * A clinician's order for one patient: the scale of saturation, and how far the limits of a rule pack may adapt
 * (docs/specs/rule-pack.md). Without one, nothing adapts.
 */
import { SalusError } from '#core/error.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { readInteger } from '#core/batch/reading.ts'
import { MAX_ALARM_RULES } from '#core/clinical/rule-pack-form.ts'
import type { SaturationScale } from '#core/clinical/score.ts'
import type { TrustedPack } from '#core/clinical/signed-rule-pack.ts'
import { MAX_MILLI } from '#core/clinical/vital.ts'

const AREA = 'ORDER'
const LABEL = 'salus/clinical-order/1'

/** Most bytes of an order. */
export const MAX_ORDER_BYTES = 8192

/** Longest time that an order counts: 31 days. */
export const MAX_ORDER_MS: number = 31 * 24 * 3_600_000

/** Between which values the limit of a rule may move, both included. */
export interface Corridor {
  /** Name of the rule in the pack. */
  readonly rule: string
  readonly fromMilli: number
  readonly toMilli: number
}

/** What a clinician ordered. */
export interface ClinicalOrder {
  /** Pseudonym, 32 bytes. */
  readonly patient: Uint8Array
  /** Digest of the rule pack that it was made for. */
  readonly pack: Uint8Array
  readonly scale: SaturationScale
  readonly corridors: readonly Corridor[]
  /** Milliseconds since 1970. */
  readonly fromMs: number
  readonly untilMs: number
  /** Ed25519 public key of the clinician; that it is one, a credential says. */
  readonly clinician: Uint8Array
}

/** An order with the digest of its bytes. */
export interface TrustedOrder {
  readonly order: ClinicalOrder
  readonly digest: Uint8Array
}

/** The bytes of a signed order. */
export function signOrder(p: Primitives, order: Omit<ClinicalOrder, 'clinician'>, signSeed: Uint8Array): Uint8Array {
  const fields = { v: 1, ...order, clinician: p.ed25519PublicKey(signSeed) }
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/**
 * Reads an order and holds it to the pack and the patient that it is for. Whether its clinician may give one is the caller's to
 * check.
 *
 * @throws SalusError `ORDER_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`, `_SHAPE`,
 * `ORDER_SIGNATURE`, `ORDER_PATIENT`, `ORDER_PACK`, `ORDER_TIME`, `ORDER_CORRIDOR` (crosses a floor, or of no rule that adapts)
 */
export function openOrder(
  p: Primitives,
  bytes: Uint8Array,
  expected: { readonly patient: Uint8Array; readonly trusted: TrustedPack }
): TrustedOrder {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ORDER_BYTES })
  readVersion(value, AREA)
  const fields = ['v', 'patient', 'pack', 'scale', 'corridors', 'fromMs', 'untilMs', 'clinician']
  const map = readMap(value, AREA, [...fields, 'sig'])
  const order: ClinicalOrder = {
    patient: readBytes(map['patient'], AREA, 'patient', 32),
    pack: readBytes(map['pack'], AREA, 'pack', 32),
    scale: readUint(map['scale'], AREA, 'scale', 2) === 2 ? 2 : 1,
    corridors: readList(map['corridors'], AREA, 'corridors', MAX_ALARM_RULES, readCorridor),
    fromMs: readUint(map['fromMs'], AREA, 'fromMs'),
    untilMs: readUint(map['untilMs'], AREA, 'untilMs'),
    clinician: readBytes(map['clinician'], AREA, 'clinician', 32)
  }
  // Scale 0 does not exist; written again as 1, it would not be what was signed.
  if (
    !p.ed25519Verify(order.clinician, signingInput(LABEL, { v: 1, ...order }), readBytes(map['sig'], AREA, 'sig', 64))
  ) {
    refuse('ORDER_SIGNATURE', 'its signature does not match')
  }
  if (!equalBytes(order.patient, expected.patient)) refuse('ORDER_PATIENT', 'it is for another patient')
  if (!equalBytes(order.pack, expected.trusted.digest)) refuse('ORDER_PACK', 'it was made for another rule pack')
  if (order.untilMs <= order.fromMs || order.untilMs - order.fromMs > MAX_ORDER_MS) {
    refuse('ORDER_TIME', 'it counts for no time, or for longer than 31 days')
  }
  requireCorridors(order, expected.trusted)
  return { order, digest: p.sha256(bytes) }
}

function readCorridor(value: unknown): Corridor {
  const map = readMap(value, AREA, ['rule', 'fromMilli', 'toMilli'])
  return {
    rule: readText(map['rule'], AREA, 'rule', 32),
    fromMilli: readInteger(map['fromMilli'], AREA, 'fromMilli', MAX_MILLI),
    toMilli: readInteger(map['toMilli'], AREA, 'toMilli', MAX_MILLI)
  }
}

function requireCorridors({ corridors }: ClinicalOrder, { pack }: TrustedPack): void {
  if (new Set(corridors.map(each => each.rule)).size !== corridors.length) {
    refuse('ORDER_CORRIDOR', 'a rule has two corridors in it')
  }
  for (const { rule: name, fromMilli, toMilli } of corridors) {
    const test = pack.alarms.find(each => each.name === name)?.test
    if (test?.on !== 'limit' || test.floorMilli == null || fromMilli > toMilli) {
      refuse('ORDER_CORRIDOR', 'a corridor is of no rule that adapts, or is empty')
    }
    const crosses = test.side === 'low' ? fromMilli < test.floorMilli : toMilli > test.floorMilli
    if (crosses) refuse('ORDER_CORRIDOR', 'a corridor crosses the limit at three points')
  }
}

function refuse(code: string, why: string): never {
  throw new SalusError(code, `Refused the clinician’s order: ${why}.`)
}
