/** What is kept of a resource so that it can be found without its body (docs/specs/fhir.md#search). */
import { clinicalSpan, spanOfDate, type DateSpan } from '#core/fhir/clinical-day.ts'
import { isJsonObject, type JsonObject } from '#core/fhir/json/parse.ts'
import { parametersOf } from '#core/fhir/search/parameters.ts'

/** Where a body is: an entry of the record, and which of its lines. */
export interface BodyPlace {
  readonly entry: Uint8Array
  /** From 0; null where the entry holds one resource. */
  readonly line: number | null
}

/** What a resource can be found by. */
export interface ResourceTerms {
  readonly type: string
  readonly tokens: ReadonlyMap<string, readonly IndexedToken[]>
  readonly dates: ReadonlyMap<string, readonly DateSpan[]>
  readonly references: ReadonlyMap<string, readonly string[]>
  /** When what it tells of began; null if it says nothing of that. */
  readonly clinicalMs: number | null
}

/** One resource as the index knows it. */
export interface IndexedResource extends BodyPlace, ResourceTerms {
  /** Its name on the endpoint: its own id, or the entry's where it has none. */
  readonly id: string
  /** The entry's revision. */
  readonly version: number
  /** When the entry was recorded. */
  readonly lastUpdatedMs: number
  /** For `_sort=date`: when what it tells of began, or was recorded. */
  readonly clinicalMs: number
}

/** A code and its system, either of which may be missing. */
export interface IndexedToken {
  readonly system: string
  readonly code: string
}

/** What an entry says of itself. */
export type IndexedEntry = Pick<IndexedResource, 'entry' | 'line' | 'id' | 'version' | 'lastUpdatedMs'>

/** Finds the terms of one resource. */
export function termsOf(resource: JsonObject): ResourceTerms {
  const type = String(resource['resourceType'])
  const tokens = new Map<string, IndexedToken[]>()
  const dates = new Map<string, DateSpan[]>()
  const references = new Map<string, string[]>()
  for (const [name, { kind, elements }] of Object.entries(parametersOf(type))) {
    const values = elements.flatMap(element => (Object.hasOwn(resource, element) ? [resource[element]].flat() : []))
    if (kind === 'token') tokens.set(name, values.flatMap(tokensOf))
    else if (kind === 'date') dates.set(name, values.flatMap(spansOf))
    else references.set(name, values.flatMap(referencesOf))
  }
  const meta = isJsonObject(resource['meta']) ? resource['meta'] : {}
  tokens.set('_security', [meta['security']].flat().flatMap(tokensOf))
  return { type, tokens, dates, references, clinicalMs: clinicalSpan(resource)?.fromMs ?? null }
}

/** A resource under its name on the endpoint. */
export function indexedAs(
  { type, tokens, dates, references, clinicalMs }: ResourceTerms,
  entry: IndexedEntry
): IndexedResource {
  const { id, lastUpdatedMs } = entry
  return {
    ...entry,
    type,
    tokens: new Map([...tokens, ['_id', [{ system: '', code: id }]]]),
    dates: new Map([...dates, ['_lastUpdated', [{ fromMs: lastUpdatedMs, toMs: lastUpdatedMs + 1 }]]]),
    references,
    clinicalMs: clinicalMs ?? lastUpdatedMs
  }
}

function tokensOf(value: unknown): IndexedToken[] {
  if (typeof value === 'string') return [{ system: '', code: value }]
  if (!isJsonObject(value)) return []
  const { system, code, value: identifier, coding } = value
  if (Array.isArray(coding)) return coding.flatMap(tokensOf)
  const found = [code, identifier].find(each => typeof each === 'string')
  return typeof found === 'string' ? [{ system: typeof system === 'string' ? system : '', code: found }] : []
}

function spansOf(value: unknown): DateSpan[] {
  if (typeof value === 'string') {
    const span = spanOfDate(value)
    return span == null ? [] : [span]
  }
  if (!isJsonObject(value)) return []
  const { start, end } = value
  const from = typeof start === 'string' ? spanOfDate(start) : undefined
  const to = typeof end === 'string' ? spanOfDate(end) : undefined
  return from == null && to == null ? [] : [{ fromMs: from?.fromMs ?? -Infinity, toMs: to?.toMs ?? Infinity }]
}

function referencesOf(value: unknown): string[] {
  return isJsonObject(value) && typeof value['reference'] === 'string' ? [value['reference']] : []
}
