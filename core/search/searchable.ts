/** What a content can be found by (docs/specs/search.md). What was decrypted is not trusted: depth and amount are bounded. */
import type { Content } from '#core/record/content.ts'

/** The most terms that one entry is found by. */
export const MAX_TERMS = 512

const MAX_DEPTH = 32
const MAX_VALUES = 20_000
const MAX_TOKEN_LENGTH = 64
const MAX_TEXT_LENGTH = 100_000
const DAY_MS = 86_400_000
const DATE = /^(\d{4})-(\d{2})-(\d{2})/

/** Fields of FHIR whose dates say when something was or happened, not when it was filed. */
const DATE_FIELDS: readonly string[] = [
  'effectiveDateTime',
  'effectiveInstant',
  'onsetDateTime',
  'performedDateTime',
  'occurrenceDateTime',
  'authoredOn',
  'recordedDate',
  'date',
  'start',
  'end'
]

/** Fields of FHIR that hold words for people. */
const TEXT_FIELDS: readonly string[] = ['text', 'display', 'div', 'title', 'description', 'valueString', 'conclusion']

/** A tag has no `<` within it: one that could would be sought to the end of the text from each `<`. */
const TAG = /<[^<>]*>/g

/** Terms, each `field:value`, and the days that an entry is about. */
export interface Searchable {
  readonly terms: readonly string[]
  /** Days since 1970-01-01 UTC, negative before; when it was recorded if it names no day. */
  readonly fromDay: number
  readonly toDay: number
}

/** What an entry's content can be found by: type, status, codes, days and words. Content that is no JSON has no words. */
export function searchableOf({ type, body, recordedAtMs }: Content): Searchable {
  const found: Found = { terms: new Set(), days: [], values: 0 }
  const text = new TextDecoder().decode(body)
  if (/json/.test(type)) {
    for (const part of /ndjson/.test(type) ? text.split('\n') : [text]) walk(found, parse(part), '', 0)
  } else if (type.startsWith('text/')) {
    addText(found, text)
  }
  const recorded = Math.floor(recordedAtMs / DAY_MS)
  const days = found.days.length === 0 ? [recorded] : found.days
  return {
    terms: [...found.terms],
    fromDay: days.reduce((a, b) => Math.min(a, b)),
    toDay: days.reduce((a, b) => Math.max(a, b))
  }
}

/** The words of a text: lower case, without accents, letters and digits only. */
export function wordsOf(text: string): string[] {
  const plain = text.slice(0, MAX_TEXT_LENGTH).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.match(/[\p{L}\p{N}]{2,}/gu)?.map(word => word.slice(0, MAX_TOKEN_LENGTH)) ?? []
}

interface Found {
  readonly terms: Set<string>
  readonly days: number[]
  values: number
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // Content that claims to be JSON and is not is found by its day alone.
    return null
  }
}

function walk(found: Found, value: unknown, field: string, depth: number): void {
  if (depth > MAX_DEPTH || found.values++ > MAX_VALUES) return
  if (typeof value === 'string') addString(found, field, value)
  else if (Array.isArray(value)) for (const item of value) walk(found, item, field, depth + 1)
  else if (typeof value === 'object' && value !== null) {
    addCoding(found, value)
    for (const [key, member] of Object.entries(value)) walk(found, member, key, depth + 1)
  }
}

function addString(found: Found, field: string, value: string): void {
  if (field === 'resourceType') add(found, 'type', value)
  else if (field === 'status') add(found, 'status', value)
  else if (DATE_FIELDS.includes(field)) addDay(found, value)
  else if (TEXT_FIELDS.includes(field)) addText(found, value.slice(0, MAX_TEXT_LENGTH).replace(TAG, ' '))
}

function addCoding(found: Found, value: object): void {
  const { system, code } = value as { readonly system?: unknown; readonly code?: unknown }
  if (typeof code !== 'string') return
  add(found, 'code', code)
  if (typeof system === 'string') add(found, 'code', `${system}|${code}`)
}

function addDay(found: Found, value: string): void {
  const date = DATE.exec(value)
  const time = date == null ? Number.NaN : Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3]))
  if (!Number.isNaN(time)) found.days.push(Math.floor(time / DAY_MS))
}

function addText(found: Found, text: string): void {
  for (const word of wordsOf(text)) add(found, 'text', word)
}

function add({ terms }: Found, field: string, value: string): void {
  if (terms.size < MAX_TERMS && value.length <= 4 * MAX_TOKEN_LENGTH) terms.add(`${field}:${value}`)
}
