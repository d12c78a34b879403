/** The patient's standing instruction and the alarms that were judged by it, as the agent keeps them (docs/specs/standing-instruction.md). */
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { StandingCrew, StandingInstruction } from '#core/consent/standing.ts'
import { SalusError } from '#core/error.ts'
import type { ShelfFormat } from '#agent/glass/shelf.ts'

const AREA = 'STANDING_INSTRUCTION'
const MAX_BYTES = 4 << 20
const MAX_ALARMS = 4_096
const MAX_GRANTS = 4
const MAX_BUNDLE_BYTES = 8_192

/** The most gateways, and the most crews, that an instruction names. */
export const MAX_NAMED = 8

/** `opening` until the grants are made; `over` once their time has passed and keys were replaced. */
export const ALARM_STATES = ['opening', 'opened', 'over', 'retracted', 'refused'] as const

/** An alarm that was judged. */
export interface JudgedAlarm {
  /** Id of its entry, 16 bytes. */
  readonly entry: Uint8Array
  /** When it was judged, and until when it opens anything; seconds since 1970-01-01. */
  readonly atS: number
  readonly untilS: number
  /** Address of the crew, 20 bytes; empty if none was to be sent. */
  readonly crew: Uint8Array
  /** What was granted, 32 bytes each. */
  readonly grants: readonly Uint8Array[]
  readonly state: (typeof ALARM_STATES)[number]
  /** Why nothing was opened; empty if something was. */
  readonly why: string
}

/** The file. */
export interface Standing {
  readonly instruction: StandingInstruction | null
  readonly alarms: readonly JudgedAlarm[]
}

/** How it is written and read. */
export const standingFormat: ShelfFormat<Standing> = {
  name: 'standing',
  encode: ({ instruction, alarms }) =>
    encodeCanonical({
      v: 1,
      instruction: instruction == null ? null : { ...instruction, ...lists(instruction) },
      alarms: alarms.slice(-MAX_ALARMS).map(each => ({ ...each, grants: [...each.grants] }))
    }),
  decode(bytes) {
    if (bytes == null) return { instruction: null, alarms: [] }
    const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BYTES })
    readVersion(value, AREA)
    const { instruction, alarms } = readMap(value, AREA, ['v', 'instruction', 'alarms'])
    return {
      instruction: instruction === null ? null : readInstruction(instruction),
      alarms: readList(alarms, AREA, 'alarms', MAX_ALARMS, readAlarm)
    }
  }
}

function lists({ gateways, crews }: StandingInstruction) {
  return { gateways: [...gateways], crews: crews.map(each => ({ ...each })) }
}

function readInstruction(value: unknown): StandingInstruction {
  const map = readMap(value, AREA, ['gateways', 'crews', 'vitalsS', 'durationS', 'perDay', 'untilS'])
  const number = (field: string): number => readUint(map[field], AREA, field)
  return {
    gateways: readList(map['gateways'], AREA, 'gateways', MAX_NAMED, id => readBytes(id, AREA, 'gateways', 32)),
    crews: readList(map['crews'], AREA, 'crews', MAX_NAMED, readCrew),
    ...{ vitalsS: number('vitalsS'), durationS: number('durationS') },
    ...{ perDay: number('perDay'), untilS: number('untilS') }
  }
}

function readCrew(value: unknown): StandingCrew {
  const map = readMap(value, AREA, ['address', 'bundle', 'name'])
  return {
    address: readBytes(map['address'], AREA, 'address', 20),
    bundle: readBytes(map['bundle'], AREA, 'bundle', { min: 1, max: MAX_BUNDLE_BYTES }),
    name: readText(map['name'], AREA, 'name', 128)
  }
}

function readAlarm(value: unknown): JudgedAlarm {
  const map = readMap(value, AREA, ['entry', 'atS', 'untilS', 'crew', 'grants', 'state', 'why'])
  const state = ALARM_STATES.find(each => each === map['state'])
  if (state == null) throw new SalusError('STANDING_INSTRUCTION_SHAPE', 'The agent’s own note of alarms is damaged.')
  return {
    entry: readBytes(map['entry'], AREA, 'entry', 16),
    atS: readUint(map['atS'], AREA, 'atS'),
    untilS: readUint(map['untilS'], AREA, 'untilS'),
    crew: readBytes(map['crew'], AREA, 'crew', { min: 0, max: 20 }),
    grants: readList(map['grants'], AREA, 'grants', MAX_GRANTS, id => readBytes(id, AREA, 'grants', 32)),
    state,
    why: readText(map['why'], AREA, 'why', 64)
  }
}
