/** A baseline as a list (docs/specs/alarm.md#state); its day of means is packed into columns as those of a batch are. */
import { SalusError, isSalusError } from '#core/error.ts'
import { readBytes, readList, readUint } from '#core/encoding/shape.ts'
import { packColumn, unpackColumn } from '#core/batch/columns.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'
import { DAY_SLOTS, TREND_MINUTES, type Baseline, type SlotValue } from '#core/clinical/baseline.ts'
import { readChoice } from '#core/clinical/pack-fields.ts'
import { STATE_AREA, readMilli, readNullable, readTruth, readTuple } from '#core/clinical/state-fields.ts'
import { VITALS } from '#core/clinical/vital.ts'

const MAX_COLUMN_BYTES = 8 * DAY_SLOTS

/** The baseline's fields in order; `recent` as pairs, `slots` as a count and two columns. */
export function packBaseline(of: Baseline): unknown[] {
  return [
    ...[of.vital, of.minute, of.sum, of.count, of.isTainted, of.recent.map(each => [each.minute, each.milli])],
    ...[of.meanMicro, of.above, of.below, of.slotSum, of.slotCount, packSlots(of.slots)],
    ...[of.median, of.sigma, of.slopePerHour]
  ]
}

function packSlots(slots: readonly SlotValue[]): unknown[] {
  const numbers = slots.map(each => each.slot)
  const values = slots.map(each => each.milli)
  return [slots.length, packColumn(numbers, 2), packColumn(values, 1)]
}

/**
 * Reads what {@link packBaseline} wrote.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readBaseline(value: unknown): Baseline {
  const items = readTuple(value, 15)
  const uint = (at: number): number => readUint(items[at], STATE_AREA, 'baseline', MAX_INTEGER)
  return {
    vital: readChoice(items[0], 'vital', VITALS, STATE_AREA),
    minute: uint(1),
    sum: readMilli(items[2]),
    count: uint(3),
    isTainted: readTruth(items[4]),
    recent: readList(items[5], STATE_AREA, 'recent', TREND_MINUTES, item => {
      const [minute, milli] = readTuple(item, 2)
      return { minute: readUint(minute, STATE_AREA, 'minute', MAX_INTEGER), milli: readMilli(milli) }
    }),
    meanMicro: readNullable(items[6], readMilli),
    above: uint(7),
    below: uint(8),
    slotSum: readMilli(items[9]),
    slotCount: uint(10),
    slots: readSlots(items[11]),
    median: readNullable(items[12], readMilli),
    sigma: uint(13),
    slopePerHour: readMilli(items[14])
  }
}

function readSlots(value: unknown): SlotValue[] {
  const [length, numbers, values] = readTuple(value, 3)
  const count = readUint(length, STATE_AREA, 'slots', DAY_SLOTS)
  const column = (bytes: unknown, order: 1 | 2): number[] =>
    unpacked(readBytes(bytes, STATE_AREA, 'slots', { min: 0, max: MAX_COLUMN_BYTES }), order, count)
  const milli = column(values, 1)
  return column(numbers, 2).map((slot, i) => ({ slot, milli: milli[i] ?? 0 }))
}

function unpacked(bytes: Uint8Array, order: 1 | 2, count: number): number[] {
  try {
    return unpackColumn(bytes, order, count)
  } catch (cause) {
    if (!isSalusError(cause)) throw cause
    throw new SalusError('CLINICAL_STATE_SHAPE', 'Refused: the means of a baseline are damaged.', { cause })
  }
}
