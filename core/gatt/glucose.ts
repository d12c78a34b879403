/** Glucose Measurement, 2A18. @see GATT Specification Supplement */
import { READING_FLAGS } from '#core/batch/reading.ts'
import { createCursor } from '#core/gatt/cursor.ts'
import { readDateTime } from '#core/gatt/date-time.ts'
import { measured, type Measurement } from '#core/gatt/measured.ts'
import { readSfloat } from '#core/gatt/medical-float.ts'
import { GLUCOSE, inUnit } from '#core/gatt/metrics.ts'

const HAS_OFFSET = 1
const HAS_CONCENTRATION = 2
const MOLES = 4
const HAS_STATUS = 8
const MS_PER_MINUTE = 60_000
/** LOINC of glucose by mass in blood. */
const BY_MASS = '2339-0'
/** All but a low battery: sensor, sample, strip, result out of range, temperature, reading interrupted, fault. */
const STATUS_ARTEFACT = 0x07fe
/** A control solution is not the person's blood. */
const CONTROL_SOLUTION = 10

/**
 * Reads a glucose concentration, in mol/L or kg/L as the meter sent it, with the meter's own number. Meters hold a store, so
 * every value is historical.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_TIME`, `GATT_VALUE`
 */
export function decodeGlucose(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const sequence = cursor.uint(2)
  const baseMs = readDateTime(cursor)
  const offsetMinutes = (flags & HAS_OFFSET) === 0 ? 0 : cursor.int(2)
  const concentration = (flags & HAS_CONCENTRATION) === 0 ? undefined : readSfloat(cursor)
  const sample = concentration == null ? 0 : cursor.uint(1) & 0x0f
  const status = (flags & HAS_STATUS) === 0 ? 0 : cursor.uint(2)
  cursor.end()
  const isArtefact = (status & STATUS_ARTEFACT) !== 0 || sample === CONTROL_SOLUTION
  const quality = READING_FLAGS.historical | (isArtefact ? READING_FLAGS.artefact : 0)
  const metric = (flags & MOLES) === 0 ? { ...inUnit(GLUCOSE, 'kg/L'), loinc: BY_MASS } : GLUCOSE
  return {
    values: concentration == null ? [] : [measured(metric, concentration, quality)],
    deviceTimeMs: baseMs == null ? null : baseMs + offsetMinutes * MS_PER_MINUTE,
    sequence
  }
}
