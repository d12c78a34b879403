/**
 * A hospital's FHIR server as far as a sync needs one, over real HTTP: SMART configuration, token endpoint with signed client
 * assertions, Bulk Data export, paged search. It is strict, and it can be made to misbehave.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { collected } from '#test/collected.ts'

/** One resource there and when it last changed. */
export interface HisResource {
  readonly type: string
  readonly text: string
  readonly updatedMs: number
}

/** The server, its data and what it has seen. */
export interface HisServer {
  readonly base: string
  resources: HisResource[]
  /** Public keys that were registered, by client. */
  jwks: JSONWebKeySet
  nowMs: number
  /** Statuses to answer the next requests with. */
  readonly failures: { status: number; retryAfter?: string }[]
  /** How often an export says that it is not ready. */
  notReady: number
  tokenLifeS: number
  /** Where `next` links and files point; the server itself if null. */
  elsewhere: string | null
  readonly seen: { readonly method: string; readonly path: string; readonly authorization: string | undefined }[]
  /** Exports that were not ended by the client. */
  readonly openExports: Set<string>
  forgetTokens(): void
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Starts a server on a free port. */
export async function startHis(): Promise<HisServer> {
  const tokens = new Map<string, number>()
  const usedIds = new Set<string>()
  const exports = new Map<string, { types: string[]; sinceMs: number; polls: number }>()
  const http: Server = createServer((request, response) => {
    void answerTo(request).then(answer => write(response, answer, his.nowMs))
  })
  await new Promise<void>(done => http.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}/fhir`
  const his: HisServer = {
    base,
    resources: [],
    jwks: { keys: [] },
    nowMs: Date.UTC(2026, 0, 1),
    failures: [],
    notReady: 0,
    tokenLifeS: 300,
    elsewhere: null,
    seen: [],
    openExports: new Set(),
    forgetTokens: () => tokens.clear(),
    close: () => new Promise(done => http.close(() => done()))
  }

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const { method = '', headers } = request
    const url = new URL(request.url ?? '', base)
    const body = Buffer.concat(await collected(request as AsyncIterable<Buffer>)).toString()
    his.seen.push({ method, path: `${url.pathname}${url.search}`, authorization: headers.authorization })
    const failure = his.failures.shift()
    if (failure != null) {
      return {
        status: failure.status,
        headers: failure.retryAfter == null ? {} : { 'retry-after': failure.retryAfter }
      }
    }
    const path = url.pathname.replace('/fhir/', '')
    if (path === '.well-known/smart-configuration') return json({ token_endpoint: `${base}/token` })
    if (path === 'token') return giveToken(new URLSearchParams(body))
    const until = tokens.get(headers.authorization ?? '')
    if (until == null || until <= his.nowMs) return { status: 401 }
    if (path.endsWith('$export')) return startExport(url, headers['prefer'])
    if (path.startsWith('status/')) return exportStatus(path.slice(7), method)
    if (path.startsWith('file/')) return file(path)
    return searchPage(path, url)
  }

  async function giveToken(form: URLSearchParams): Promise<Answer> {
    try {
      const { payload, protectedHeader } = await jwtVerify(
        form.get('client_assertion') ?? '',
        createLocalJWKSet(his.jwks),
        {
          audience: `${base}/token`,
          issuer: 'salus-client',
          subject: 'salus-client',
          algorithms: ['ES384', 'RS384'],
          currentDate: new Date(his.nowMs),
          maxTokenAge: 300,
          requiredClaims: ['jti', 'exp']
        }
      )
      const id = payload.jti ?? ''
      const isNew = !usedIds.has(id) && (payload.exp ?? 0) <= his.nowMs / 1000 + 300 && protectedHeader.typ === 'JWT'
      const isForm =
        form.get('grant_type') === 'client_credentials' &&
        form.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' &&
        form.get('scope') === 'system/*.rs'
      if (!isNew || !isForm) return { status: 400 }
      usedIds.add(id)
    } catch {
      return json({ error: 'invalid_client' }, 400)
    }
    const token = `token-${usedIds.size}`
    tokens.set(`Bearer ${token}`, his.nowMs + 1000 * his.tokenLifeS)
    return json({ access_token: token, token_type: 'bearer', expires_in: his.tokenLifeS })
  }

  function startExport(url: URL, prefer: unknown): Answer {
    if (prefer !== 'respond-async') return { status: 400 }
    const id = String(exports.size + 1)
    const types = (url.searchParams.get('_type') ?? '').split(',').filter(each => each !== '')
    exports.set(id, { types, sinceMs: Date.parse(url.searchParams.get('_since') ?? '1970-01-01'), polls: 0 })
    his.openExports.add(id)
    return { status: 202, headers: { 'content-location': `${base}/status/${id}` } }
  }

  function exportStatus(id: string, method: string): Answer {
    const each = exports.get(id)
    if (each == null) return { status: 404 }
    if (method === 'DELETE') return his.openExports.delete(id) ? { status: 202 } : { status: 404 }
    if (each.polls++ < his.notReady) return { status: 202, headers: { 'retry-after': '2', 'x-progress': 'soon' } }
    const types = new Set(
      his.resources.map(({ type }) => type).filter(type => each.types.length === 0 || each.types.includes(type))
    )
    const output = [...types].map(type => ({ type, url: `${his.elsewhere ?? base}/file/${id}/${type}`, count: 1 }))
    return json({
      transactionTime: new Date(his.nowMs).toISOString(),
      request: url(id),
      requiresAccessToken: true,
      output,
      error: []
    })
  }

  function file(path: string): Answer {
    const [, id = '', type = ''] = path.split('/')
    const sinceMs = exports.get(id)?.sinceMs ?? 0
    const lines = his.resources
      .filter(each => each.type === type && each.updatedMs >= sinceMs)
      .map(({ text }) => `${text}\n`)
    return { status: 200, headers: { 'content-type': 'application/fhir+ndjson' }, body: lines.join('') }
  }

  function searchPage(type: string, asked: URL): Answer {
    const { searchParams } = asked
    const since = Date.parse(searchParams.get('_lastUpdated')?.replace(/^ge/, '') ?? '1970-01-01')
    const found = his.resources.filter(each => each.type === type && each.updatedMs >= since)
    const from = Number(searchParams.get('page') ?? '0')
    // Smaller pages than were asked for, as servers may.
    const size = Math.min(Number(searchParams.get('_count')), 3)
    const next = new URLSearchParams(searchParams)
    next.set('page', String(from + size))
    const link =
      from + size < found.length
        ? [{ relation: 'next', url: `${his.elsewhere ?? base}/${type}?${next.toString()}` }]
        : []
    const entries = found.slice(from, from + size).map(({ text }) => `{"resource":${text}}`)
    const head = `{"resourceType":"Bundle","type":"searchset","link":${JSON.stringify(link)}`
    return {
      status: 200,
      headers: { 'content-type': 'application/fhir+json' },
      body: `${head},"entry":[${entries.join(',')}]}`
    }
  }

  const url = (id: string): string => `${base}/Group/1/$export#${id}`
  return his
}

function json(value: unknown, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

function write(response: ServerResponse, { status, headers = {}, body = '' }: Answer, nowMs: number): void {
  response.writeHead(status, { date: new Date(nowMs).toUTCString(), ...headers }).end(body)
}
