import type { Cursor } from '#core/gatt/cursor.ts'
import { refuseGatt } from '#core/gatt/refuse.ts'

/**
 * Reads a Date Time: year, month, day, hours, minutes, seconds on the sensor's own clock, which has no time zone.
 *
 * @returns milliseconds since 1970 as if the clock ran on UTC; null where year, month or day is not known
 * @throws SalusError `GATT_TIME`, `GATT_TRUNCATED`
 */
export function readDateTime(cursor: Cursor): number | null {
  const year = cursor.uint(2)
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = cursor.bytes(5)
  const isYear = year === 0 || (year >= 1582 && year <= 9999)
  if (!isYear || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59) refuseGatt('TIME')
  if (year === 0 || month === 0 || day === 0) return null
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  // The 31st of a month with 30 days would pass for the 1st of the next.
  if (new Date(ms).getUTCDate() !== day) refuseGatt('TIME')
  return ms
}
