/** Temperature Measurement, 2A1C, and Intermediate Temperature, 2A1E. @see GATT Specification Supplement */
import { createCursor } from '#core/gatt/cursor.ts'
import { readDateTime } from '#core/gatt/date-time.ts'
import { measured, type Measurement } from '#core/gatt/measured.ts'
import { readFloat } from '#core/gatt/medical-float.ts'
import { GATT_TEMPERATURE, inUnit } from '#core/gatt/metrics.ts'

const FAHRENHEIT = 1
const HAS_TIME = 2
const HAS_TYPE = 4

/**
 * Reads a temperature, in the unit that the sensor sent.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_TIME`, `GATT_VALUE`
 */
export function decodeTemperature(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const temperature = readFloat(cursor)
  const deviceTimeMs = (flags & HAS_TIME) === 0 ? null : readDateTime(cursor)
  // Where it was taken: ear, armpit, … It changes nothing about the value.
  if ((flags & HAS_TYPE) !== 0) cursor.uint(1)
  cursor.end()
  const metric = (flags & FAHRENHEIT) === 0 ? GATT_TEMPERATURE : inUnit(GATT_TEMPERATURE, '[degF]')
  return { values: [measured(metric, temperature)], deviceTimeMs }
}
