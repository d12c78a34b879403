/** The byte form of the engine's state (docs/specs/alarm.md): what a snapshot keeps and what an alert names by its digest. */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { packBaseline, readBaseline } from '#core/clinical/baseline-form.ts'
import { packCondition, readCondition } from '#core/clinical/condition-form.ts'
import { MAX_STREAMS, baselineVitals, type EngineState, type Rules } from '#core/clinical/engine-state.ts'
import type { Escalation } from '#core/clinical/escalation.ts'
import type { StreamState } from '#core/clinical/gate.ts'
import { STATE_AREA, readMilli, readNullable, readTime, readTruth, readTuple } from '#core/clinical/state-fields.ts'
import { readChoice } from '#core/clinical/pack-fields.ts'
import type { RatesState } from '#core/clinical/rates.ts'
import { CAUSES, PRIORITIES } from '#core/clinical/rule-pack.ts'
import { VITALS } from '#core/clinical/vital.ts'
import { packVital, readVitalState } from '#core/clinical/vital-form.ts'

/** Most bytes of a state. */
export const MAX_STATE_BYTES = 262_144

const FIELDS = [
  ...[
    'v',
    'nowMs',
    'sampleCount',
    'streams',
    'vitals',
    'rates',
    'causes',
    'scores',
    'baselines',
    'limits',
    'conditions'
  ],
  ...['escalations', 'alertCount', 'lastAlert', 'pausedUntilMs', 'signal']
]

/** The bytes of a state. */
export function encodeEngine(state: EngineState): Uint8Array {
  return encodeCanonical({
    v: 1,
    ...state,
    streams: state.streams.map(({ device, vital, milli, atMs, jump }) => [
      device,
      vital,
      milli,
      atMs,
      jump == null ? null : [jump.milli, jump.sinceMs, jump.atMs]
    ]),
    vitals: state.vitals.map(packVital),
    rates: packRates(state.rates),
    scores: state.scores.map(({ total, risk, missing }) => [total, risk, missing]),
    baselines: state.baselines.map(packBaseline),
    conditions: state.conditions.map(packCondition),
    escalations: state.escalations.map(packEscalation),
    signal: [state.signal.priority, state.signal.isUrged]
  })
}

/** SHA-256 of a state's bytes. */
export function stateDigest(p: Primitives, state: EngineState): Uint8Array {
  return p.sha256(encodeEngine(state))
}

/**
 * SHA-256 of what decides: the state without the gate's memory of single devices and without the evidence, which an alert shows itself. Hashing
 * those for hundreds of devices would take longer than all else about an alert.
 */
export function decisionDigest(p: Primitives, state: EngineState): Uint8Array {
  const vitals = state.vitals.map(each => (each == null ? null : { ...each, recent: [] }))
  return stateDigest(p, { ...state, streams: [], vitals })
}

/**
 * Reads a state that was kept under the same rule pack.
 *
 * @throws SalusError `CLINICAL_STATE_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, which is also what a state of another pack has
 */
export function decodeEngine({ trusted: { pack } }: Pick<Rules, 'trusted'>, bytes: Uint8Array): EngineState {
  const value = decodeCanonical(bytes, { area: STATE_AREA, maxBytes: MAX_STATE_BYTES })
  readVersion(value, STATE_AREA)
  const map = readMap(value, STATE_AREA, FIELDS)
  const baselines = readExactly(map['baselines'], 'baselines', baselineVitals(pack).length, readBaseline)
  if (baselineVitals(pack).some((vital, i) => baselines[i]?.vital !== vital)) refuse()
  const [priority, isUrged] = readTuple(map['signal'], 2)
  return {
    nowMs: readTime(map['nowMs']),
    sampleCount: readUint(map['sampleCount'], STATE_AREA, 'sampleCount'),
    streams: readList(map['streams'], STATE_AREA, 'streams', MAX_STREAMS, readStream),
    vitals: readExactly(map['vitals'], 'vitals', VITALS.length, readVitalState),
    rates: readRates(map['rates']),
    causes: readList(map['causes'], STATE_AREA, 'causes', CAUSES.length, item =>
      readChoice(item, 'cause', CAUSES, STATE_AREA)
    ),
    scores: readExactly(map['scores'], 'scores', pack.scores.length, item => {
      const [total, risk, missing] = readTuple(item, 3)
      return {
        total: readUint(total, STATE_AREA, 'total', 1000),
        risk: readUint(risk, STATE_AREA, 'risk', 4),
        missing: readUint(missing, STATE_AREA, 'missing', 0xffff)
      }
    }),
    baselines,
    limits: readExactly(map['limits'], 'limits', pack.alarms.length, item => readMilli(item)),
    conditions: readExactly(map['conditions'], 'conditions', pack.alarms.length, readCondition),
    escalations: readList(map['escalations'], STATE_AREA, 'escalations', pack.alarms.length, readEscalation),
    alertCount: readUint(map['alertCount'], STATE_AREA, 'alertCount'),
    lastAlert: readBytes(map['lastAlert'], STATE_AREA, 'lastAlert', 32),
    pausedUntilMs: readNullable(map['pausedUntilMs'], readTime),
    signal: {
      priority: readNullable(priority, item => readChoice(item, 'priority', PRIORITIES, STATE_AREA)),
      isUrged: readTruth(isUrged)
    }
  }
}

function readExactly<T>(value: unknown, field: string, count: number, read: (item: unknown) => T): T[] {
  const items = readList(value, STATE_AREA, field, count, read)
  if (items.length !== count) refuse()
  return items
}

function refuse(): never {
  throw new SalusError('CLINICAL_STATE_SHAPE', 'Refused: this state was kept under another rule pack.')
}

function readStream(value: unknown): StreamState {
  const [device, vital, milli, atMs, jump] = readTuple(value, 5)
  return {
    device: readText(device, STATE_AREA, 'device', 32),
    vital: readChoice(vital, 'vital', VITALS, STATE_AREA),
    milli: readMilli(milli),
    atMs: readTime(atMs),
    jump: readNullable(jump, item => {
      const [level, sinceMs, lastMs] = readTuple(item, 3)
      return { milli: readMilli(level), sinceMs: readTime(sinceMs), atMs: readTime(lastMs) }
    })
  }
}

function packRates({ heart, pulse, agreedMilli, differSinceMs }: RatesState): unknown[] {
  const pair = (rate: RatesState['heart']): unknown => (rate == null ? null : [rate.milli, rate.atMs])
  return [pair(heart), pair(pulse), agreedMilli, differSinceMs]
}

function readRates(value: unknown): RatesState {
  const [heart, pulse, agreed, differ] = readTuple(value, 4)
  const pair = (item: unknown): RatesState['heart'] =>
    readNullable(item, each => {
      const [milli, atMs] = readTuple(each, 2)
      return { milli: readMilli(milli), atMs: readTime(atMs) }
    })
  return {
    heart: pair(heart),
    pulse: pair(pulse),
    agreedMilli: readNullable(agreed, readMilli),
    differSinceMs: readNullable(differ, readTime)
  }
}

function packEscalation(at: Escalation): unknown[] {
  return [at.rule, at.alert, at.person, at.channel, at.sentMs, at.personMs, at.isConfirmed, at.isUrged]
}

function readEscalation(value: unknown): Escalation {
  const [rule, alert, person, channel, sentMs, personMs, isConfirmed, isUrged] = readTuple(value, 8)
  return {
    rule: readUint(rule, STATE_AREA, 'rule', 255),
    alert: readBytes(alert, STATE_AREA, 'alert', 32),
    person: readUint(person, STATE_AREA, 'person', 255),
    channel: readUint(channel, STATE_AREA, 'channel', 255),
    sentMs: readTime(sentMs),
    personMs: readTime(personMs),
    isConfirmed: readTruth(isConfirmed),
    isUrged: readTruth(isUrged)
  }
}
