/** The byte form of a rule pack (docs/specs/rule-pack.md): canonical, bounded, and refused where it could hide an alarm. */
import { SalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { readInteger } from '#core/batch/reading.ts'
import {
  ZERO_MEANINGS,
  type AdaptRule,
  type AlarmTimers,
  type GateRule,
  type RulePack,
  type VitalRule
} from '#core/clinical/rule-pack.ts'
import { readAlarmRule } from '#core/clinical/alarm-rule-form.ts'
import { MAX_DURATION_MS, PACK_AREA, readChoice, readName, readVital } from '#core/clinical/pack-fields.ts'
import { checkPack } from '#core/clinical/pack-checks.ts'
import { readScoreTable } from '#core/clinical/score-form.ts'
import { MAX_MILLI, VITALS } from '#core/clinical/vital.ts'

/** Most bytes of a pack. */
export const MAX_PACK_BYTES = 65_536

/** Most rules in a pack. */
export const MAX_ALARM_RULES = 64

const MAX_SCORES = 8

/** The bytes of a pack. Its digest is SHA-256 of them. */
export function encodeRulePack(pack: RulePack): Uint8Array {
  return encodeCanonical({ v: 1, ...pack })
}

/**
 * Reads a pack.
 *
 * @throws SalusError `RULE_PACK_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `RULE_PACK_UNSAFE` (a rule that could hide what it is to show)
 */
export function decodeRulePack(bytes: Uint8Array): RulePack {
  const value = decodeCanonical(bytes, { area: PACK_AREA, maxBytes: MAX_PACK_BYTES })
  readVersion(value, PACK_AREA)
  const map = readMap(value, PACK_AREA, [
    'v',
    'name',
    'version',
    'scores',
    'vitals',
    'gate',
    'adapt',
    'alarms',
    'timers'
  ])
  const pack: RulePack = {
    name: readName(map['name'], 'name'),
    version: readUint(map['version'], PACK_AREA, 'version', 0xffff_ffff),
    scores: readList(map['scores'], PACK_AREA, 'scores', MAX_SCORES, readScoreTable),
    vitals: readList(map['vitals'], PACK_AREA, 'vitals', VITALS.length, readVitalRule),
    gate: readNumbers<GateRule>(map['gate'], ['settleMs', 'differMilli', 'differMs', 'doubtMs', 'perfusionMilli']),
    adapt: readNumbers<AdaptRule>(map['adapt'], [
      'weightMilli',
      'slackMilli',
      'boundMilli',
      'widthMilli',
      'leastSlots'
    ]),
    alarms: readList(map['alarms'], PACK_AREA, 'alarms', MAX_ALARM_RULES, readAlarmRule),
    timers: readNumbers<AlarmTimers>(map['timers'], ['confirmMs', 'respondMs', 'remindMs', 'maxPauseMs', 'maxOffMs'])
  }
  const problem = checkPack(pack)
  if (problem != null) throw new SalusError('RULE_PACK_UNSAFE', `Refused the rule pack: ${problem}.`)
  return pack
}

function readVitalRule(value: unknown): VitalRule {
  const map = readMap(value, PACK_AREA, [
    'vital',
    'validMs',
    'minMilli',
    'maxMilli',
    'zero',
    'slewMilliPerS',
    'frozenMs',
    'sigmaMilli',
    'trendMilliPerHour'
  ])
  const uint = (field: string, max: number): number => readUint(map[field], PACK_AREA, field, max)
  return {
    vital: readVital(map['vital']),
    validMs: uint('validMs', MAX_DURATION_MS),
    minMilli: readInteger(map['minMilli'], PACK_AREA, 'minMilli', MAX_MILLI - 1),
    maxMilli: readInteger(map['maxMilli'], PACK_AREA, 'maxMilli', MAX_MILLI - 1),
    zero: readChoice(map['zero'], 'zero', ZERO_MEANINGS),
    slewMilliPerS: uint('slewMilliPerS', MAX_MILLI),
    frozenMs: uint('frozenMs', MAX_DURATION_MS),
    sigmaMilli: uint('sigmaMilli', MAX_MILLI),
    trendMilliPerHour: uint('trendMilliPerHour', MAX_MILLI)
  }
}

/** A map of whole numbers from 0 to 30 days in milliseconds, which is above what any of them can sensibly be. */
function readNumbers<T extends Readonly<Record<keyof T, number>>>(
  value: unknown,
  fields: readonly (keyof T & string)[]
): T {
  const map = readMap(value, PACK_AREA, fields)
  return Object.fromEntries(
    fields.map(field => [field, readUint(map[field], PACK_AREA, field, MAX_DURATION_MS)])
  ) as unknown as T
}
