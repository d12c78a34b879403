/** Searches an index (docs/specs/fhir.md#search). */
import { SalusError } from '#core/error.ts'
import type { DateSpan } from '#core/fhir/clinical-day.ts'
import type { IndexedResource, IndexedToken } from '#core/fhir/search/index-resource.ts'
import type { Condition, DatePrefix, Order, SearchQuery, TokenValue } from '#core/fhir/search/query.ts'

/** One page of what was found. */
export interface SearchPage {
  readonly total: number
  readonly page: readonly IndexedResource[]
  /** Names where the next page begins; undefined at the end. */
  readonly next: string | undefined
}

const TOKEN = /^(-?\d{1,16})~([A-Za-z0-9\-.]{1,64})$/

/**
 * Finds the resources of a type for which all conditions hold. A page goes on behind the last resource of the one before, so
 * that nothing is shown twice or left out when the record grows in between.
 *
 * @throws SalusError `FHIR_PAGE` for a page that no search has named
 */
export function search(resources: readonly IndexedResource[], query: SearchQuery): SearchPage {
  const found = resources.filter(
    each => each.type === query.type && query.conditions.every(condition => holds(each, condition))
  )
  const compare = (a: Position, b: Position): number => {
    const sign = query.order.isDescending ? -1 : 1
    return sign * (a.key - b.key || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  }
  const placed = found.map(resource => ({ resource, ...positionOf(resource, query.order) })).sort(compare)
  const after = query.after == null ? null : positionIn(query.after)
  const rest = after == null ? placed : placed.filter(each => compare(each, after) > 0)
  const page = rest.slice(0, query.count)
  const last = page.at(-1)
  const hasMore = last != null && rest.length > page.length
  return {
    total: found.length,
    page: page.map(({ resource }) => resource),
    next: hasMore ? `${String(last.key)}~${last.id}` : undefined
  }
}

interface Position {
  readonly key: number
  readonly id: string
}

function positionOf({ id, clinicalMs, lastUpdatedMs }: IndexedResource, { by }: Order): Position {
  return { id, key: by === '_id' ? 0 : by === 'date' ? clinicalMs : lastUpdatedMs }
}

function positionIn(token: string): Position {
  const [whole, key, id = ''] = TOKEN.exec(token) ?? []
  if (whole == null) throw new SalusError('FHIR_PAGE', 'There is no such page; search again.')
  return { key: Number(key), id }
}

function holds(resource: IndexedResource, condition: Condition): boolean {
  const { name } = condition
  switch (condition.kind) {
    case 'token':
      return condition.anyOf.some(wanted => (resource.tokens.get(name) ?? []).some(token => hasToken(token, wanted)))
    case 'date':
      return condition.anyOf.some(wanted => hasDate(resource.dates.get(name) ?? [], wanted))
    case 'reference':
      return condition.anyOf.some(wanted => (resource.references.get(name) ?? []).some(each => refersTo(each, wanted)))
  }
}

function hasToken(token: IndexedToken, { system, code }: TokenValue): boolean {
  return (system == null || token.system === system) && (code == null || token.code === code)
}

function hasDate(spans: readonly DateSpan[], wanted: DateSpan & { readonly prefix: DatePrefix }): boolean {
  // "Not equal" is the one comparison that holds of what has no date.
  const { prefix } = wanted
  if (prefix === 'ne') return !spans.some(span => compares(span, wanted, 'eq'))
  return spans.some(span => compares(span, wanted, prefix))
}

/** @see https://hl7.org/fhir/R4/search.html#prefix */
function compares(span: DateSpan, wanted: DateSpan, prefix: Exclude<DatePrefix, 'ne'>): boolean {
  switch (prefix) {
    case 'eq':
      return span.fromMs >= wanted.fromMs && span.toMs <= wanted.toMs
    case 'gt':
      return span.toMs > wanted.toMs
    case 'lt':
      return span.fromMs < wanted.fromMs
    case 'ge':
      return span.toMs > wanted.fromMs
    case 'le':
      return span.fromMs < wanted.toMs
    case 'sa':
      return span.fromMs >= wanted.toMs
    case 'eb':
      return span.toMs <= wanted.fromMs
  }
}

/** `1` and `Patient/1` find `Patient/1` and `https://…/Patient/1`. */
function refersTo(reference: string, wanted: string): boolean {
  const plain = reference.split('/_history/')[0] ?? reference
  return plain === wanted || plain.endsWith(`/${wanted}`)
}
