/** Blood Pressure Measurement, 2A35, and Intermediate Cuff Pressure, 2A36. @see GATT Specification Supplement */
import { READING_FLAGS } from '#core/batch/reading.ts'
import { createCursor } from '#core/gatt/cursor.ts'
import { readDateTime } from '#core/gatt/date-time.ts'
import { measured, type Measured, type Measurement } from '#core/gatt/measured.ts'
import { readSfloat } from '#core/gatt/medical-float.ts'
import {
  CUFF_PRESSURE,
  GATT_CUFF_PULSE_RATE,
  GATT_DIASTOLIC,
  inUnit,
  GATT_MEAN_PRESSURE,
  GATT_SYSTOLIC
} from '#core/gatt/metrics.ts'

const KILOPASCAL = 1
const HAS_TIME = 2
const HAS_PULSE = 4
const HAS_USER = 8
const HAS_STATUS = 16
/** Body moved, cuff too loose, cuff at the wrong place. An irregular pulse is a finding, not an artefact. */
const ARTEFACT_STATUS = 0x0001 | 0x0002 | 0x0020

/**
 * Reads a blood pressure; specials (NaN and others) are absent values.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_TIME`, `GATT_VALUE`
 */
export function decodeBloodPressure(bytes: Uint8Array): Measurement {
  return decodePressure(bytes, false)
}

/**
 * Reads the pressure in the cuff while a measurement goes on.
 *
 * @throws SalusError as {@link decodeBloodPressure}
 */
export function decodeCuffPressure(bytes: Uint8Array): Measurement {
  return decodePressure(bytes, true)
}

function decodePressure(bytes: Uint8Array, isIntermediate: boolean): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const has = (bit: number): boolean => (flags & bit) !== 0
  const pressures = [readSfloat(cursor), readSfloat(cursor), readSfloat(cursor)]
  const deviceTimeMs = has(HAS_TIME) ? readDateTime(cursor) : null
  const pulse = has(HAS_PULSE) ? readSfloat(cursor) : undefined
  const user = has(HAS_USER) ? cursor.uint(1) : undefined
  const status = has(HAS_STATUS) ? cursor.uint(2) : 0
  cursor.end()
  const quality = (status & ARTEFACT_STATUS) === 0 ? 0 : READING_FLAGS.artefact
  const metrics = isIntermediate ? [CUFF_PRESSURE] : [GATT_SYSTOLIC, GATT_DIASTOLIC, GATT_MEAN_PRESSURE]
  const values: Measured[] = metrics.map((metric, i) =>
    measured(has(KILOPASCAL) ? inUnit(metric, 'kPa', -1) : metric, pressures[i] ?? { special: 'not a number' }, quality)
  )
  if (pulse != null) values.push(measured(GATT_CUFF_PULSE_RATE, pulse, quality))
  return user == null ? { values, deviceTimeMs } : { values, deviceTimeMs, user }
}
