/** Reads an alarm rule from a rule pack (docs/specs/rule-pack.md). */
import { readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readInteger } from '#core/batch/reading.ts'
import { MAX_DURATION_MS, PACK_AREA, readChoice, readFlag, readName, readVital } from '#core/clinical/pack-fields.ts'
import { CAUSES, PRIORITIES, type AlarmRule, type AlarmTest } from '#core/clinical/rule-pack.ts'
import { MAX_MILLI, VITALS, type VitalCode } from '#core/clinical/vital.ts'

const KINDS = ['limit', 'score', 'drift', 'technical'] as const
const FIELDS: Readonly<Record<(typeof KINDS)[number], readonly string[]>> = {
  limit: ['on', 'vitals', 'side', 'limitMilli', 'floorMilli', 'scale'],
  score: ['on', 'score', 'fromRisk'],
  drift: ['on', 'vital'],
  technical: ['on', 'cause', 'vitals']
}

/**
 * Reads a rule.
 *
 * @throws SalusError `RULE_PACK_SHAPE`
 */
export function readAlarmRule(value: unknown): AlarmRule {
  const map = readMap(value, PACK_AREA, ['name', 'priority', 'delayMs', 'clearMs', 'isLatched', 'mayBeOff', 'test'])
  return {
    name: readName(map['name'], 'name'),
    priority: readChoice(map['priority'], 'priority', PRIORITIES),
    delayMs: readUint(map['delayMs'], PACK_AREA, 'delayMs', MAX_DURATION_MS),
    clearMs: readUint(map['clearMs'], PACK_AREA, 'clearMs', MAX_DURATION_MS),
    isLatched: readFlag(map['isLatched'], 'isLatched'),
    mayBeOff: readFlag(map['mayBeOff'], 'mayBeOff'),
    test: readTest(map['test'])
  }
}

function readTest(value: unknown): AlarmTest {
  const any = readMap(value, PACK_AREA, ['on'], Object.values(FIELDS).flat())
  const on = readChoice(any['on'], 'on', KINDS)
  const map = readMap(value, PACK_AREA, FIELDS[on])
  const vitals = (): VitalCode[] => readList(map['vitals'], PACK_AREA, 'vitals', VITALS.length, readVital)
  switch (on) {
    case 'limit':
      return {
        on,
        vitals: vitals(),
        side: readChoice(map['side'], 'side', ['low', 'high']),
        limitMilli: readInteger(map['limitMilli'], PACK_AREA, 'limitMilli', MAX_MILLI),
        floorMilli:
          map['floorMilli'] === null ? null : readInteger(map['floorMilli'], PACK_AREA, 'floorMilli', MAX_MILLI),
        scale: readChoice(map['scale'], 'scale', [0, 1, 2])
      }
    case 'score':
      return {
        on,
        score: readName(map['score'], 'score'),
        fromRisk: readChoice(map['fromRisk'], 'fromRisk', [1, 2, 3, 4])
      }
    case 'drift':
      return { on, vital: readVital(map['vital']) }
    case 'technical':
      return { on, cause: readChoice(map['cause'], 'cause', CAUSES), vitals: vitals() }
  }
}
