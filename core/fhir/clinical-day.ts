import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'
import { LAST_DAY } from '#core/record/day.ts'

/** Elements that say when what a resource tells of happened, the most telling first. */
const DATE_ELEMENTS: readonly string[] = [
  ...[
    'effectiveDateTime',
    'effectivePeriod',
    'effectiveInstant',
    'performedDateTime',
    'performedPeriod',
    'occurrenceDateTime'
  ],
  ...[
    'occurrencePeriod',
    'onsetDateTime',
    'onsetPeriod',
    'started',
    'period',
    'billablePeriod',
    'servicedDate',
    'servicedPeriod'
  ],
  ...[
    'authoredOn',
    'whenHandedOver',
    'whenPrepared',
    'dateAsserted',
    'recordedDate',
    'recorded',
    'date',
    'dateTime',
    'sent'
  ],
  ...['assertedDate', 'created', 'timestamp', 'issued', 'start', 'timingDateTime', 'timingPeriod', 'createdDateTime']
]
const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/
const DAY_MS = 86_400_000

/** The span of time that a FHIR date or dateTime names, in milliseconds since 1970, the end exclusive. */
export interface DateSpan {
  readonly fromMs: number
  readonly toMs: number
}

/** Reads a FHIR date, dateTime or instant; `undefined` if it is none. Times without a zone are taken as UTC. */
export function spanOfDate(text: string): DateSpan | undefined {
  const match = DATE.exec(text)
  if (match == null) return undefined
  const [, year = '', month, day, hour, minute, second, zone] = match
  const at = (y: number, m: number, d: number): number => Date.UTC(y, m - 1, d)
  const [y, m, d] = [Number(year), Number(month ?? 1), Number(day ?? 1)]
  // Date.UTC takes years below 100 as of the 20th century, and lets the 31st of February be in March.
  if (y < 100 || m < 1 || m > 12 || d < 1 || new Date(at(y, m, d)).getUTCDate() !== d) return undefined
  if (month == null) return { fromMs: at(y, 1, 1), toMs: at(y + 1, 1, 1) }
  if (day == null) return { fromMs: at(y, m, 1), toMs: at(y, m + 1, 1) }
  if (hour == null) return { fromMs: at(y, m, d), toMs: at(y, m, d) + DAY_MS }
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second ?? 0)
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60) return undefined
  const fromMs = at(y, m, d) + 1000 * seconds - zoneMs(zone)
  return { fromMs, toMs: fromMs + (second == null ? 60_000 : 1000) }
}

function zoneMs(zone: string | undefined): number {
  if (zone == null || zone === 'Z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  return sign * 60_000 * (60 * Number(zone.slice(1, 3)) + Number(zone.slice(4, 6)))
}

/** The span of the most telling date of a resource; `undefined` if it has none. */
export function clinicalSpan(resource: JsonObject): DateSpan | undefined {
  for (const element of DATE_ELEMENTS) {
    const value = Object.hasOwn(resource, element) ? resource[element] : undefined
    const { start, end } = isJsonObject(value) ? value : {}
    for (const text of [value, start, end]) {
      const span = typeof text === 'string' ? spanOfDate(text) : undefined
      if (span != null) return span
    }
  }
  return undefined
}

/**
 * The day of the record under which a resource is sealed: the day it tells of, so that a grant for a span of time opens what
 * happened in it. What has no date, or one outside of what a record can name, lies on `today`.
 */
export function clinicalDay(resource: JsonObject, today: number): number {
  const span = clinicalSpan(resource)
  if (span == null) return today
  const day = Math.floor(span.fromMs / DAY_MS)
  if (day > today) return today
  return Math.min(Math.max(day, 0), LAST_DAY)
}
