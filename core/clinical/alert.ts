/** What is sent when an alarm begins, ends or is acknowledged (docs/specs/alarm.md): canonical, signed, chained by hash. */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { readInteger } from '#core/batch/reading.ts'
import { readChoice } from '#core/clinical/pack-fields.ts'
import { PRIORITIES, type Priority } from '#core/clinical/rule-pack.ts'
import { MAX_MILLI, VITALS, type VitalCode } from '#core/clinical/vital.ts'

const AREA = 'ALERT'
const LABEL = 'salus/alert/1'

/** Most bytes of a signed alert. */
export const MAX_ALERT_BYTES = 8192

/** Most values of one vital sign that an alert shows. */
export const MAX_EVIDENCE = 16

/** What an alert tells of its alarm. */
export const ALERT_KINDS = ['onset', 'acknowledged', 'cleared'] as const

/** A value that led to it. */
export interface EvidenceValue {
  readonly atMs: number
  /** Thousandths of the unit; null where there was none. */
  readonly milli: number | null
  /** As in the reading, what the gate added included. */
  readonly flags: number
}

/** A score as it stood. */
export interface AlertScore {
  readonly name: string
  readonly total: number
  readonly risk: number
  /** Bit i is set where parameter i was not known: a partial score. */
  readonly missing: number
}

/** An alert. */
export interface Alert {
  /** 32 bytes each. */
  readonly gateway: Uint8Array
  readonly patient: Uint8Array
  /** Counts up by one; with `previous`, the id of the alert before, a missing one shows. 32 zero bytes before the first. */
  readonly sequence: number
  readonly previous: Uint8Array
  readonly kind: (typeof ALERT_KINDS)[number]
  /** Name of the rule in the pack. */
  readonly rule: string
  readonly priority: Priority
  /** It is about sensors, links or the gateway, not about the patient. */
  readonly isTechnical: boolean
  readonly atMs: number
  /** When the condition began: the delay is between the two. */
  readonly sinceMs: number
  /** Value and limit in thousandths, where the rule has them. */
  readonly vital: VitalCode | null
  readonly milli: number | null
  readonly limitMilli: number | null
  readonly scores: readonly AlertScore[]
  /** Number of the person in the chain who acknowledged it. */
  readonly person: number | null
  /** Digests of the rule pack, of the clinician’s order, and of the state that decided: a replay of the log comes to the same. */
  readonly pack: Uint8Array
  readonly order: Uint8Array | null
  readonly state: Uint8Array
  readonly evidence: readonly { readonly vital: VitalCode; readonly values: readonly EvidenceValue[] }[]
}

/** The bytes of an alert; SHA-256 of them is its id. */
export function encodeAlert(alert: Alert): Uint8Array {
  const evidence = alert.evidence.map(({ vital, values }) => [
    vital,
    values.map(each => [each.atMs, each.milli, each.flags])
  ])
  return encodeCanonical({ v: 1, ...alert, evidence })
}

/** The bytes of a signed alert. */
export function signAlert(p: Primitives, alertBytes: Uint8Array, signSeed: Uint8Array): Uint8Array {
  const fields = { v: 1, alert: alertBytes }
  return encodeCanonical({ ...fields, sig: p.ed25519Sign(signSeed, signingInput(LABEL, fields)) })
}

/** An alert as read. */
export interface ReceivedAlert {
  readonly alert: Alert
  /** The same for every copy of it. */
  readonly id: Uint8Array
}

/**
 * Reads a signed alert.
 *
 * @param signKey - the gateway's Ed25519 key
 * @throws SalusError `ALERT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`, `_SHAPE`,
 * `ALERT_SIGNATURE`
 */
export function openAlert(p: Primitives, bytes: Uint8Array, signKey: Uint8Array): ReceivedAlert {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ALERT_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'alert', 'sig'])
  const alert = readBytes(map['alert'], AREA, 'alert', { min: 1, max: MAX_ALERT_BYTES })
  const signature = readBytes(map['sig'], AREA, 'sig', 64)
  if (!p.ed25519Verify(signKey, signingInput(LABEL, { v: 1, alert }), signature)) {
    throw new SalusError('ALERT_SIGNATURE', 'Refused: the gateway did not sign this alert.')
  }
  return { alert: decodeAlert(alert), id: p.sha256(alert) }
}

const FIELDS = [
  ...['v', 'gateway', 'patient', 'sequence', 'previous', 'kind', 'rule', 'priority', 'isTechnical', 'atMs', 'sinceMs'],
  ...['vital', 'milli', 'limitMilli', 'scores', 'person', 'pack', 'order', 'state', 'evidence']
]

function decodeAlert(bytes: Uint8Array): Alert {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_ALERT_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, FIELDS)
  const digest = (field: string): Uint8Array => readBytes(map[field], AREA, field, 32)
  return {
    gateway: digest('gateway'),
    patient: digest('patient'),
    sequence: readUint(map['sequence'], AREA, 'sequence'),
    previous: digest('previous'),
    kind: readChoice(map['kind'], 'kind', ALERT_KINDS, AREA),
    rule: readText(map['rule'], AREA, 'rule', 32),
    priority: readChoice(map['priority'], 'priority', PRIORITIES, AREA),
    isTechnical: readChoice(map['isTechnical'], 'isTechnical', [true, false], AREA),
    atMs: readUint(map['atMs'], AREA, 'atMs'),
    sinceMs: readUint(map['sinceMs'], AREA, 'sinceMs'),
    vital: map['vital'] === null ? null : readChoice(map['vital'], 'vital', VITALS, AREA),
    milli: readMilli(map['milli'], 'milli'),
    limitMilli: readMilli(map['limitMilli'], 'limitMilli'),
    scores: readList(map['scores'], AREA, 'scores', 8, readScore),
    person: map['person'] === null ? null : readUint(map['person'], AREA, 'person', 255),
    pack: digest('pack'),
    order: map['order'] === null ? null : digest('order'),
    state: digest('state'),
    evidence: readList(map['evidence'], AREA, 'evidence', VITALS.length, readEvidence)
  }
}

function readMilli(value: unknown, field: string): number | null {
  return value === null ? null : readInteger(value, AREA, field, MAX_MILLI)
}

function readScore(value: unknown): AlertScore {
  const map = readMap(value, AREA, ['name', 'total', 'risk', 'missing'])
  return {
    name: readText(map['name'], AREA, 'name', 32),
    total: readUint(map['total'], AREA, 'total', 1000),
    risk: readUint(map['risk'], AREA, 'risk', 4),
    missing: readUint(map['missing'], AREA, 'missing', 0xffff)
  }
}

function readEvidence(value: unknown): Alert['evidence'][number] {
  const [vital, values, ...more] = readList(value, AREA, 'evidence', 2, item => item)
  if (more.length > 0) throw new SalusError('ALERT_SHAPE', 'Refused: evidence is a pair.')
  return {
    vital: readChoice(vital, 'vital', VITALS, AREA),
    values: readList(values, AREA, 'values', MAX_EVIDENCE, item => {
      const three = readList(item, AREA, 'value', 3, each => each)
      if (three.length !== 3) throw new SalusError('ALERT_SHAPE', 'Refused: a value has time, mantissa and flags.')
      return {
        atMs: readUint(three[0], AREA, 'atMs'),
        milli: readMilli(three[1], 'milli'),
        flags: readUint(three[2], AREA, 'flags', 255)
      }
    })
  }
}
