/** Reads the table of a score from a rule pack (docs/specs/rule-pack.md). */
import { SalusError } from '#core/error.ts'
import { readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readInteger } from '#core/batch/reading.ts'
import { PACK_AREA, readChoice, readName, readVital } from '#core/clinical/pack-fields.ts'
import { NO_END, type Band, type BandRow, type ScoreParameter, type ScoreTable } from '#core/clinical/score.ts'

const MAX_PARAMETERS = 16
const MAX_ROWS = 6
const MAX_BANDS = 16
const MAX_POINTS = 20
const RISKS = [0, 1, 2, 3, 4] as const

/**
 * Reads a table.
 *
 * @throws SalusError `RULE_PACK_SHAPE`
 */
export function readScoreTable(value: unknown): ScoreTable {
  const map = readMap(value, PACK_AREA, ['name', 'parameters', 'risks', 'single'])
  const single = readMap(map['single'], PACK_AREA, ['points', 'risk'])
  return {
    name: readName(map['name'], 'name'),
    parameters: readList(map['parameters'], PACK_AREA, 'parameters', MAX_PARAMETERS, readParameter),
    risks: readList(map['risks'], PACK_AREA, 'risks', RISKS.length, item => {
      const each = readMap(item, PACK_AREA, ['fromTotal', 'risk'])
      return {
        fromTotal: readUint(each['fromTotal'], PACK_AREA, 'fromTotal', MAX_POINTS * MAX_PARAMETERS),
        risk: readChoice(each['risk'], 'risk', RISKS)
      }
    }),
    single: {
      points: readUint(single['points'], PACK_AREA, 'points', MAX_POINTS),
      risk: readChoice(single['risk'], 'risk', RISKS)
    }
  }
}

function readParameter(value: unknown): ScoreParameter {
  const map = readMap(value, PACK_AREA, ['name', 'rows'])
  return { name: readName(map['name'], 'name'), rows: readList(map['rows'], PACK_AREA, 'rows', MAX_ROWS, readRow) }
}

function readRow(value: unknown): BandRow {
  const map = readMap(value, PACK_AREA, ['vital', 'on', 'scale', 'bands'])
  const bands = readList(map['bands'], PACK_AREA, 'bands', MAX_BANDS, readBand)
  const rises = bands.every((each, i) => i === 0 || each.upToMilli > (bands[i - 1]?.upToMilli ?? 0))
  if (!rises || bands.at(-1)?.upToMilli !== NO_END) {
    throw new SalusError('RULE_PACK_SHAPE', 'Refused: the bands of a score must rise and the last must have no end.')
  }
  return {
    vital: readVital(map['vital']),
    on: readChoice(map['on'], 'on', ['any', 'air', 'oxygen']),
    scale: readChoice(map['scale'], 'scale', [0, 1, 2]),
    bands
  }
}

function readBand(value: unknown): Band {
  const map = readMap(value, PACK_AREA, ['upToMilli', 'points'])
  return {
    upToMilli: readInteger(map['upToMilli'], PACK_AREA, 'upToMilli', NO_END),
    points: readUint(map['points'], PACK_AREA, 'points', MAX_POINTS)
  }
}
