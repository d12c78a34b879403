/** Reads the query of a FHIR search (docs/specs/fhir.md#search). What is not understood is refused: a list that lacks a filter misleads. */
import { SalusError } from '#core/error.ts'
import { spanOfDate, type DateSpan } from '#core/fhir/clinical-day.ts'
import { SPECIAL, parametersOf } from '#core/fhir/search/parameters.ts'

const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'] as const
const DEFAULT_COUNT = 50
const MAX_COUNT = 200
const MAX_VALUES = 200
const MAX_QUERY = 8192

/** How a date is compared. */
export type DatePrefix = (typeof PREFIXES)[number]

/** One condition; any of its values is enough. */
export type Condition =
  | { readonly kind: 'token'; readonly name: string; readonly anyOf: readonly TokenValue[] }
  | {
      readonly kind: 'date'
      readonly name: string
      readonly anyOf: readonly (DateSpan & { readonly prefix: DatePrefix })[]
    }
  | { readonly kind: 'reference'; readonly name: string; readonly anyOf: readonly string[] }

/** `code` (any system), `system|code`, `|code` (no system) or `system|` (any code). */
export interface TokenValue {
  /** Any if undefined. */
  readonly system: string | undefined
  /** Any if undefined. */
  readonly code: string | undefined
}

/** What the results are ordered by; the id decides between equals. */
export interface Order {
  readonly by: 'date' | '_lastUpdated' | '_id'
  readonly isDescending: boolean
}

/** A search. */
export interface SearchQuery {
  readonly type: string
  /** All of them must hold. */
  readonly conditions: readonly Condition[]
  readonly order: Order
  readonly count: number
  /** Where the page before ended. */
  readonly after: string | undefined
  /** The query without its page, for links. */
  readonly self: string
}

/**
 * Reads a query string such as `code=http://loinc.org|8867-4&date=ge2024-01`.
 *
 * @throws SalusError `FHIR_PARAMETER` (not known, or not with this modifier), `FHIR_PARAMETER_VALUE`, `FHIR_QUERY` (not a query)
 */
export function parseSearch(type: string, query: string): SearchQuery {
  if (query.length > MAX_QUERY) throw new SalusError('FHIR_QUERY', 'The query is too long; ask for less at once.')
  const conditions: Condition[] = []
  let order: Order = { by: 'date', isDescending: true }
  let count = DEFAULT_COUNT
  let after: string | undefined
  const self: string[] = []
  for (const pair of query.split('&').filter(each => each !== '')) {
    const at = pair.indexOf('=')
    const [name, value] = [decoded(at < 0 ? pair : pair.slice(0, at)), decoded(at < 0 ? '' : pair.slice(at + 1))]
    if (name === '_page') after = value
    else self.push(pair)
    if (name === '_page' || name === '_format' || name === '_pretty') continue
    if (name === '_count') count = countOf(value)
    else if (name === '_sort') order = orderOf(value)
    else conditions.push(conditionOf(type, name, value))
  }
  return { type, conditions, order, count, after, self: self.join('&') }
}

function conditionOf(type: string, name: string, value: string): Condition {
  const parameters = parametersOf(type)
  const kind = Object.hasOwn(parameters, name)
    ? parameters[name]?.kind
    : Object.hasOwn(SPECIAL, name)
      ? SPECIAL[name]
      : undefined
  if (kind == null) {
    throw new SalusError(
      'FHIR_PARAMETER',
      'There is no such search parameter here; the CapabilityStatement lists them.'
    )
  }
  const values = splitAt(value, ',')
  if (values.length > MAX_VALUES || values.includes('')) refuseValue()
  if (kind === 'token') return { kind, name, anyOf: values.map(tokenOf) }
  if (kind === 'date') return { kind, name, anyOf: values.map(dateOf) }
  return { kind, name, anyOf: values.map(unescaped) }
}

function tokenOf(value: string): TokenValue {
  const [first = '', second, ...more] = splitAt(value, '|').map(unescaped)
  if (more.length > 0) refuseValue()
  if (second == null) return { system: undefined, code: first }
  return { system: first, code: second === '' ? undefined : second }
}

function dateOf(value: string): DateSpan & { readonly prefix: DatePrefix } {
  const prefix = PREFIXES.find(each => value.startsWith(each)) ?? 'eq'
  // A plus sign in a query is a space: the zone of a time that was not encoded.
  const text = (value.startsWith(prefix) ? value.slice(2) : value).replace(' ', '+')
  return { prefix, ...(spanOfDate(text) ?? refuseValue()) }
}

function countOf(value: string): number {
  if (!/^\d{1,6}$/.test(value)) refuseValue()
  return Math.min(Number(value), MAX_COUNT)
}

function orderOf(value: string): Order {
  const isDescending = value.startsWith('-')
  const by = isDescending ? value.slice(1) : value
  if (by !== 'date' && by !== '_lastUpdated' && by !== '_id') {
    throw new SalusError('FHIR_PARAMETER', 'Results are sorted by date, _lastUpdated or _id.')
  }
  return { by, isDescending }
}

/** Splits at a sign that no backslash precedes. */
function splitAt(text: string, sign: ',' | '|'): string[] {
  const parts: string[] = []
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text.charAt(i) === '\\') i++
    else if (text.charAt(i) === sign) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return [...parts, text.slice(from)]
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new SalusError('FHIR_QUERY', 'The query is not encoded as a URL’s query is.', { cause })
  }
}

function refuseValue(): never {
  throw new SalusError('FHIR_PARAMETER_VALUE', 'A search parameter has a value that it cannot have.')
}
