import { SalusError } from '#core/error.ts'

const DAY_MS = 86_400_000

/** The last day that formats can name: 2149-06-06. */
export const LAST_DAY = 0xffff

/**
 * The day, in whole days since 1970-01-01 UTC, of a time in milliseconds.
 *
 * @throws SalusError `DAY_RANGE` if the time lies before 1970 or after 2149
 */
export function dayOf(timeMs: number): number {
  return checkedDay(Math.floor(timeMs / DAY_MS))
}

/**
 * Returns the day if formats can name it.
 *
 * @throws SalusError `DAY_RANGE`
 */
export function checkedDay(day: number): number {
  if (!Number.isInteger(day) || day < 0 || day > LAST_DAY) {
    throw new SalusError('DAY_RANGE', 'A day must be a whole number of days since 1970-01-01, at most 65535.')
  }
  return day
}
