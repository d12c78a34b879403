/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same request under the same key has one effect and one answer. */
import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { SalusError } from '#core/error.ts'
import type { AnsweredStore } from '#node/http/answered.ts'
import { bodyOf } from '#node/http/body.ts'

/** A string of structured fields (RFC 8941), or the same characters without quotes, as many clients send them. */
const KEY = /^(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,128})"|([A-Za-z0-9_.:-]{1,128}))$/
/** Longest answer that is kept, bytes. */
const MAX_KEPT_BYTES = 65_536

/**
 * Middleware for routes that change something; it must come after the bound on the body.
 *
 * @param whose - whose keys they are: one asker's key says nothing to another
 */
export function idempotent(store: AnsweredStore, whose: (context: Context) => string): MiddlewareHandler {
  /** Requests under way, by asker and key. */
  const underWay = new Set<string>()
  return async (context, next) => {
    const header = context.req.header('idempotency-key')
    if (header == null) {
      await next()
      return
    }
    const match = KEY.exec(header)
    if (match == null) throw new SalusError('IDEMPOTENCY_KEY', 'The Idempotency-Key is no text of 1 to 128 characters.')
    const asker = hashOf([whose(context)])
    const key = hashOf([match[1] ?? match[2] ?? ''])
    const request = hashOf([
      context.req.method,
      context.req.path,
      new URL(context.req.url).search,
      await bodyOf(context)
    ])
    const place = `${asker}/${key}`
    if (underWay.has(place)) {
      throw new SalusError(
        'IDEMPOTENCY_IN_FLIGHT',
        'A request with this Idempotency-Key is under way; ask again later.'
      )
    }
    underWay.add(place)
    try {
      const earlier = await store.find(asker, key)
      if (earlier != null) {
        if (earlier.request !== request) {
          throw new SalusError(
            'IDEMPOTENCY_REUSED',
            'This Idempotency-Key was used for another request; take a new one.'
          )
        }
        const { status, type, body } = earlier
        context.res = new Response(body, { status, headers: { 'content-type': type, 'idempotency-replayed': 'true' } })
        return
      }
      await next()
      const { status } = context.res
      // A refusal is judged again when it is asked again: the reason may have gone.
      if (status < 200 || status >= 300) return
      const body = await context.res.clone().text()
      if (body.length > MAX_KEPT_BYTES) return
      await store.keep(asker, key, { request, status, type: context.res.headers.get('content-type') ?? '', body })
    } finally {
      underWay.delete(place)
    }
  }
}

function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(createHash('sha256').update(part).digest())
  return hash.digest('hex')
}
