/**
 * The read-only FHIR R4 endpoint of a person's own agent (docs/specs/fhir.md#endpoint): a request in, an answer out. Who may ask
 * is for the server that it is mounted on.
 *
 * @see https://hl7.org/fhir/R4/http.html
 */
import { isSalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { readAttachment, restoreAttachments } from '#core/fhir/attachment.ts'
import { isKnownType } from '#core/fhir/resource-types.ts'
import type { BodyPlace, IndexedResource } from '#core/fhir/search/index-resource.ts'
import { parseSearch, type SearchQuery } from '#core/fhir/search/query.ts'
import { search } from '#core/fhir/search/search.ts'
import { capabilityStatement } from '#core/fhir/server/capability.ts'
import { outcomeOf, type Problem } from '#core/fhir/server/outcome.ts'
import { servedText, type ServedContent } from '#core/fhir/server/served.ts'

/** A request, without what the server has judged already. */
export interface FhirRequest {
  readonly method: string
  /** Path below the endpoint, for example `/Observation/1`. */
  readonly path: string
  /** Query, without its question mark; of a search by POST the form. */
  readonly query: string
  readonly accept?: string
}

/** An answer. */
export interface FhirResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/** What the one who asks may see of a record. */
export interface FhirView {
  /** Address of the endpoint, without a slash at its end. */
  readonly base: string
  /** When the software was made, as a FHIR date. */
  readonly date: string
  readonly resources: readonly IndexedResource[]
  /** A content of its own, by the id of its first part. */
  content(id: string): ServedContent | undefined
  /** The stored text of one resource. */
  body(place: BodyPlace): Promise<Uint8Array>
  /** The body of an entry that holds a part of a content, which the entry `of` names (docs/specs/fhir.md#attachments). */
  part(entry: Uint8Array, of: Uint8Array): Promise<Uint8Array>
}

const FHIR_JSON = 'application/fhir+json; charset=utf-8'
const READS = /^\/([A-Za-z]{1,64})\/([A-Za-z0-9\-.]{1,64})$/
const SEARCHES = /^\/([A-Za-z]{1,64})(?:\/_search)?$/
const BAD_QUERY = ['FHIR_PARAMETER', 'FHIR_PARAMETER_VALUE', 'FHIR_QUERY', 'FHIR_PAGE']

/** Answers a request; what fails is an OperationOutcome. Errors of `view` come through. */
export async function handleFhir(request: FhirRequest, view: FhirView): Promise<FhirResponse> {
  const { method, path, query, accept } = request
  const isPostedSearch = method === 'POST' && path.endsWith('/_search')
  if (method !== 'GET' && !isPostedSearch) {
    return problem({ status: 405, code: 'FHIR_READ_ONLY', issue: 'not-supported', text: 'This endpoint only reads.' })
  }
  if (!takesJson(accept, query)) {
    return problem({
      status: 406,
      code: 'FHIR_FORMAT',
      issue: 'not-supported',
      text: 'Resources are given as JSON only.'
    })
  }
  if (path === '/metadata') return answer(200, JSON.stringify(capabilityStatement(view.base, view.date)))
  const [, type = '', id = ''] = READS.exec(path) ?? []
  if (type !== '' && id !== '_search') return read(type, id, view)
  const [, searched = ''] = SEARCHES.exec(path) ?? []
  if (!isKnownType(searched)) return notFound()
  try {
    return await searchSet(parseSearch(searched, query), view)
  } catch (error) {
    if (!isSalusError(error) || !BAD_QUERY.includes(error.code)) throw error
    const issue = error.code === 'FHIR_PARAMETER' ? 'not-supported' : 'value'
    return problem({ status: 400, code: error.code, issue, text: error.message })
  }
}

async function read(type: string, id: string, view: FhirView): Promise<FhirResponse> {
  const resource = view.resources.find(each => each.type === type && each.id === id)
  if (resource == null) {
    const content = type === 'Binary' ? view.content(id) : undefined
    if (content == null) return notFound()
    // Whatever it claims to be, a browser must not run it as a page of this origin.
    const headers = { 'content-type': content.type, 'content-length': String(content.sizeBytes), ...AS_FILE }
    return { status: 200, headers, body: readAttachment(content, entry => view.part(entry, content.of)) }
  }
  const body = await view.body(resource)
  const headers = {
    etag: `W/"${resource.version}"`,
    'last-modified': new Date(resource.lastUpdatedMs).toUTCString()
  }
  // A Binary is its content: a link in place of it would lead back here.
  if (type !== 'Binary') return answer(200, servedText(body, id, view.base), headers)
  return {
    status: 200,
    headers: { ...JSON_HEADERS, ...headers },
    body: restoreAttachments(body, entry => view.part(entry, resource.entry))
  }
}

async function searchSet(query: SearchQuery, view: FhirView): Promise<FhirResponse> {
  const { total, page, next } = search(view.resources, query)
  const address = `${view.base}/${query.type}`
  const at = (pairs: readonly string[]): string =>
    [address, pairs.filter(each => each !== '').join('&')].filter(Boolean).join('?')
  const link = [
    { relation: 'self', url: at([query.self]) },
    ...(next == null ? [] : [{ relation: 'next', url: at([query.self, `_page=${encodeURIComponent(next)}`]) }])
  ]
  const entries: string[] = []
  for (const resource of page) {
    const text = servedText(await view.body(resource), resource.id, view.base)
    const fullUrl = JSON.stringify(`${view.base}/${resource.type}/${resource.id}`)
    entries.push(`{"fullUrl":${fullUrl},"resource":${text},"search":{"mode":"match"}}`)
  }
  const head = `{"resourceType":"Bundle","type":"searchset","total":${total},"link":${JSON.stringify(link)}`
  return answer(200, entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}`)
}

function takesJson(accept: string | undefined, query: string): boolean {
  const format = /(?:^|&)_format=([^&]*)/.exec(query)?.[1]
  if (format != null) return /json/i.test(format)
  return accept == null || accept === '' || /json|\*\/\*|application\/\*/i.test(accept)
}

const AS_FILE = {
  'content-disposition': 'attachment',
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff'
}
const JSON_HEADERS = { 'content-type': FHIR_JSON, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

function answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): FhirResponse {
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: utf8(text) }
}

function problem(what: Problem): FhirResponse {
  return answer(what.status, outcomeOf(what))
}

function notFound(): FhirResponse {
  return problem({ status: 404, code: 'FHIR_NOT_FOUND', issue: 'not-found', text: 'There is no such resource here.' })
}
