import type { Period } from '#core/consent/policy.ts'

/**
 * Tells whether a time lies in a period, as FHIR compares what has different precision: a day that ends a period is in it to its last
 * moment. A time that cannot be read lies in none.
 *
 * @see https://hl7.org/fhir/R4/datatypes.html#Period
 */
export function isWithin(time: string, { start, end }: Period): boolean {
  if (start == null && end == null) return true
  const { first, last } = spanOf(time)
  return (start == null || last >= spanOf(start).first) && (end == null || first <= spanOf(end).last)
}

/** Tells whether a text is a time that can be read: a day that no month has is none. */
export function isTime(text: string): boolean {
  return !Number.isNaN(spanOf(text).first)
}

const FULL = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(.+))?)?)?$/

/** First and last millisecond that a date of any precision stands for, since 1970; a date that cannot be read is at no time. */
function spanOf(text: string): { first: number; last: number } {
  const [, year, month, day, time] = FULL.exec(text) ?? []
  const isDay =
    day == null || new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
  const isMonth = month == null || (Number(month) >= 1 && Number(month) <= 12)
  if (year == null || !isMonth || !isDay) return { first: NaN, last: NaN }
  if (time != null) {
    const moment = Date.parse(text)
    return { first: moment, last: moment }
  }
  const first = Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1))
  const next =
    month == null
      ? Date.UTC(Number(year) + 1, 0, 1)
      : day == null
        ? Date.UTC(Number(year), Number(month), 1)
        : first + 86_400_000
  return { first, last: next - 1 }
}
