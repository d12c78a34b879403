/** Weight Measurement, 2A9D. @see GATT Specification Supplement */
import { createCursor } from '#core/gatt/cursor.ts'
import { readDateTime } from '#core/gatt/date-time.ts'
import { measuredInteger, notMeasured, type Measured, type Measurement } from '#core/gatt/measured.ts'
import { BODY_HEIGHT, BODY_MASS_INDEX, BODY_WEIGHT, inUnit } from '#core/gatt/metrics.ts'

const IMPERIAL = 1
const HAS_TIME = 2
const HAS_USER = 4
const HAS_INDEX = 8
const UNSUCCESSFUL = 0xffff

/**
 * Reads a weight, in steps of 5 g or a hundredth of a pound.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`, `GATT_TIME`
 */
export function decodeWeight(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const isImperial = (flags & IMPERIAL) !== 0
  const raw = cursor.uint(2)
  const deviceTimeMs = (flags & HAS_TIME) === 0 ? null : readDateTime(cursor)
  const user = (flags & HAS_USER) === 0 ? undefined : cursor.uint(1)
  const metric = isImperial ? inUnit(BODY_WEIGHT, '[lb_av]', -2) : BODY_WEIGHT
  const weight = isImperial ? measuredInteger(metric, raw, -2) : measuredInteger(metric, 5 * raw, -3)
  const values: Measured[] = [raw === UNSUCCESSFUL ? notMeasured(metric) : weight]
  if ((flags & HAS_INDEX) !== 0) {
    values.push(measuredInteger(BODY_MASS_INDEX, cursor.uint(2), -1))
    const height = isImperial ? inUnit(BODY_HEIGHT, '[in_i]', -1) : BODY_HEIGHT
    values.push(measuredInteger(height, cursor.uint(2), height.exponent))
  }
  cursor.end()
  return user == null ? { values, deviceTimeMs } : { values, deviceTimeMs, user }
}
