/** What the agent answers to everybody: links, and nothing else. Whoever makes it public puts HTTPS before it. */
import { isSalusError } from '#core/error.ts'
import { MAX_SHL_REQUEST_BYTES } from '#core/fhir/shl/handle.ts'
import type { LinkServer } from '#agent/links/link-server.ts'
import type { HttpHandler } from '#node/http/server.ts'
import type { Log } from '#node/log.ts'

const LINK_PATH = /^\/shl\/([A-Za-z0-9_-]{43})((?:\/[A-Za-z0-9_-]{1,64})?)$/

/** Makes the application. */
export function createPublicApp({ links, log }: { readonly links: LinkServer; readonly log: Log }): HttpHandler {
  return {
    async fetch(request) {
      try {
        const { pathname, search } = new URL(request.url)
        const [, secret, path = ''] = LINK_PATH.exec(pathname) ?? []
        if (secret == null) return new Response(null, { status: 404 })
        const body = await bounded(request)
        if (body == null) return new Response(null, { status: 413 })
        const answer = await links.answer(secret, { method: request.method, path, query: search.slice(1), body })
        const hasBody = answer.status !== 204
        return new Response(hasBody ? Uint8Array.from(answer.body) : null, {
          ...answer,
          headers: { ...answer.headers }
        })
      } catch (error) {
        log.error({ code: isSalusError(error) ? error.code : 'INTERNAL' }, 'a link could not be answered')
        return new Response(null, { status: 500 })
      }
    }
  }
}

async function bounded({ body }: Request): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  if (body == null) return new Uint8Array()
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    bytes += piece.length
    if (bytes > MAX_SHL_REQUEST_BYTES) return undefined
    pieces.push(piece)
  }
  return new Uint8Array(Buffer.concat(pieces))
}
