/** Readers of fields that the parts of the engine's state share. */
import { SalusError } from '#core/error.ts'
import { readList, readUint } from '#core/encoding/shape.ts'
import { MAX_INTEGER, readInteger } from '#core/batch/reading.ts'

/** Prefix of the codes of a state. */
export const STATE_AREA = 'CLINICAL_STATE'

/**
 * A list of exactly so many items.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readTuple(value: unknown, count: number): unknown[] {
  const items = readList(value, STATE_AREA, 'tuple', count, item => item)
  if (items.length !== count) throw new SalusError('CLINICAL_STATE_SHAPE', 'Refused: a list has too few items.')
  return items
}

/**
 * A time in milliseconds since 1970.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readTime(value: unknown): number {
  return readUint(value, STATE_AREA, 'time', MAX_INTEGER)
}

/**
 * A whole number that is a value or a sum of values.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readMilli(value: unknown): number {
  return readInteger(value, STATE_AREA, 'milli', MAX_INTEGER)
}

/**
 * True or false.
 *
 * @throws SalusError `CLINICAL_STATE_SHAPE`
 */
export function readTruth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new SalusError('CLINICAL_STATE_SHAPE', 'Refused: expected true or false.')
  return value
}

/** Null, or what `read` reads. */
export function readNullable<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value)
}
