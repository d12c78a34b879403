/** Heart Rate Measurement, 2A37. @see Bluetooth SIG, GATT Specification Supplement, "Heart Rate Measurement" */
import { READING_FLAGS } from '#core/batch/reading.ts'
import { createCursor } from '#core/gatt/cursor.ts'
import { measuredInteger, notMeasured, type Measured, type Measurement } from '#core/gatt/measured.ts'
import { ENERGY, GATT_HEART_RATE, RR_INTERVAL } from '#core/gatt/metrics.ts'

const WIDE = 1
const CONTACT = 2
const CONTACT_SUPPORTED = 4
const HAS_ENERGY = 8
const HAS_INTERVALS = 16

/**
 * Reads a heart rate. A strap without skin contact is lead off: its rate is an artefact, and a rate of 0 then is none at all,
 * never a bradycardia.
 *
 * @throws SalusError `GATT_TRUNCATED`, `GATT_TRAILING`
 */
export function decodeHeartRate(bytes: Uint8Array): Measurement {
  const cursor = createCursor(bytes)
  const flags = cursor.uint(1)
  const rate = cursor.uint((flags & WIDE) === 0 ? 1 : 2)
  const isOff = (flags & CONTACT_SUPPORTED) !== 0 && (flags & CONTACT) === 0
  const quality = isOff ? READING_FLAGS.leadOff | READING_FLAGS.artefact : 0
  const values: Measured[] = [
    isOff && rate === 0 ? notMeasured(GATT_HEART_RATE, quality) : measuredInteger(GATT_HEART_RATE, rate, 0, quality)
  ]
  if ((flags & HAS_ENERGY) !== 0) values.push(measuredInteger(ENERGY, cursor.uint(2), 0))
  if ((flags & HAS_INTERVALS) !== 0) {
    while (cursor.left() >= 2) values.push(measuredInteger(RR_INTERVAL, cursor.uint(2), 0, quality))
  }
  cursor.end()
  return { values, deviceTimeMs: null }
}
