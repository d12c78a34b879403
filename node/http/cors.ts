/** Which web pages may use the API: configured origins all of it, others what is public. Never with credentials: there are no cookies. */
import type { MiddlewareHandler } from 'hono'

/** What everyone may read from anywhere. */
const PUBLIC =
  /^\/(?:healthz|readyz|openapi\.json|v1\/(?:status|(?:grants|gateways|models|erasures)\/[^/]+|receipts\/.+|custody\/card)|ipfs\/[^/]+)$/
const METHODS = 'GET, POST, PUT, DELETE'
const HEADERS = 'authorization, content-type, idempotency-key, last-event-id'
const EXPOSED = 'idempotency-replayed, retry-after, etag'
const MAX_AGE_S = 600

/** @param origins - as browsers write them, for example `https://care.example.org` */
export function corsFor(origins: readonly string[]): MiddlewareHandler {
  const allowed = new Set(origins)
  return async (context, next) => {
    const origin = context.req.header('origin')
    const isKnown = origin != null && allowed.has(origin)
    if (origin != null && context.req.method === 'OPTIONS') {
      const headers: Record<string, string> = { vary: 'Origin, Access-Control-Request-Method' }
      if (isKnown) {
        headers['access-control-allow-origin'] = origin
        headers['access-control-allow-methods'] = METHODS
        headers['access-control-allow-headers'] = HEADERS
        headers['access-control-max-age'] = String(MAX_AGE_S)
      }
      return context.body(null, 204, headers)
    }
    await next()
    const isPublic = context.req.method === 'GET' && PUBLIC.test(context.req.path)
    if (allowed.size > 0 && !isPublic) context.header('vary', 'Origin', { append: true })
    context.header('cross-origin-resource-policy', 'same-origin')
    // A request with a token is not a public one, and no page reads its answer that was not let in.
    if (isPublic && context.req.header('authorization') == null) context.header('access-control-allow-origin', '*')
    else if (isKnown) context.header('access-control-allow-origin', origin)
    else return undefined
    context.header('access-control-expose-headers', EXPOSED)
    // Otherwise browsers keep the answer from the very page that may have it.
    context.header('cross-origin-resource-policy', 'cross-origin')
    return undefined
  }
}
