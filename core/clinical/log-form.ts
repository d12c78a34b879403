/**
 * What the rules were told beside readings, and what they found, in the gateway's log (docs/specs/alarm.md#log): with the readings,
 * enough to come to every alert again.
 */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Event } from '#core/clinical/engine-state.ts'
import type { Act } from '#core/clinical/operator.ts'
import { readChoice } from '#core/clinical/pack-fields.ts'
import { CAUSES } from '#core/clinical/rule-pack.ts'

const AREA = 'CLINICAL_RECORD'
const MAX_BYTES = 1024
const TYPES = ['technical', 'confirm', 'acknowledge', 'pause', 'off', 'resume'] as const
const FIELDS: Readonly<Record<(typeof TYPES)[number], readonly string[]>> = {
  technical: ['cause', 'isBad'],
  confirm: ['alert', 'person'],
  acknowledge: ['rule', 'person'],
  pause: ['forMs'],
  off: ['rule', 'forMs'],
  resume: []
}

const FOUND = ['score', 'limit', 'trend']
const MORE_FIELDS = [
  ...['after', 'cause', 'isBad', 'alert', 'person', 'rule', 'forMs', 'name', 'total', 'risk', 'missing', 'fromMilli'],
  ...['toMilli', 'vital', 'milliPerHour']
]

/** What is logged of what was told: acts, and that a restart was survived. */
export type LoggedInput = Act | { readonly type: 'resume'; readonly atMs: number }

/** What was told, and after how many samples. */
export interface ToldInput {
  readonly input: LoggedInput
  readonly after: number
}

/** What is logged of what was found; alerts have a record of their own. */
export type LoggedEvent = Extract<Event, { type: 'score' | 'limit' | 'trend' }>

/** The body of a clinical record of what was found. */
export function encodeLoggedEvent(event: LoggedEvent): Uint8Array {
  return encodeCanonical({ v: 1, ...event })
}

/**
 * The body of a clinical record of what was told.
 *
 * @param after - how many samples the engine had taken before
 */
export function encodeLoggedInput(input: LoggedInput, after: number): Uint8Array {
  return encodeCanonical({ v: 1, ...input, after })
}

/**
 * Reads what was told from the body of a clinical record; undefined of what was found, which a replay finds again.
 *
 * @throws SalusError `CLINICAL_RECORD_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`
 */
export function decodeLoggedInput(bytes: Uint8Array): ToldInput | undefined {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
  readVersion(value, AREA)
  const any = readMap(value, AREA, ['v', 'type', 'atMs'], MORE_FIELDS)
  if (FOUND.some(each => each === any['type'])) return undefined
  const type = readChoice(any['type'], 'type', TYPES, AREA)
  const map = readMap(value, AREA, ['v', 'type', 'atMs', 'after', ...FIELDS[type]])
  return { input: readInput(type, map), after: readUint(map['after'], AREA, 'after') }
}

function readInput(type: (typeof TYPES)[number], map: Record<string, unknown>): LoggedInput {
  const uint = (field: string): number => readUint(map[field], AREA, field)
  const rule = (): string => readText(map['rule'], AREA, 'rule', 32)
  const atMs = uint('atMs')
  switch (type) {
    case 'technical':
      return {
        ...{ type, atMs, cause: readChoice(map['cause'], 'cause', CAUSES, AREA) },
        isBad: readChoice(map['isBad'], 'isBad', [true, false], AREA)
      }
    case 'confirm':
      return { type, atMs, alert: readBytes(map['alert'], AREA, 'alert', 32), person: uint('person') }
    case 'acknowledge':
      return { type, atMs, rule: rule(), person: uint('person') }
    case 'pause':
      return { type, atMs, forMs: uint('forMs') }
    case 'off':
      return { type, atMs, rule: rule(), forMs: uint('forMs') }
    case 'resume':
      return { type, atMs }
  }
}
