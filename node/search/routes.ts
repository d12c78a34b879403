/** The HTTP routes of the blind index (docs/specs/blind-index.md). */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import { SalusError } from '#core/error.ts'
import {
  MAX_BLIND_CALL_BYTES,
  decodeBlindQuery,
  decodeBlindUpload,
  encodeBlindAnswer
} from '#core/search/blind-call.ts'
import type { ReadGuard } from '#node/assembly/read-guard.ts'
import { atMost, bodyOf, ofType } from '#node/http/body.ts'
import { problemBody } from '#node/http/wire.ts'
import type { BlindLists } from '#node/search/blind-lists.ts'

const CBOR = 'application/cbor'
const bytes = z.any().openapi({ type: 'string', format: 'binary' })
const problem = {
  description: 'What went wrong, with a stable code',
  content: { 'application/problem+json': { schema: problemBody } }
} as const
const body = {
  middleware: [ofType(CBOR), atMost(MAX_BLIND_CALL_BYTES)],
  request: { body: { required: true, content: { [CBOR]: { schema: bytes } } } }
}

const putRoute = createRoute({
  method: 'post',
  path: '/v1/blind/lists',
  summary: 'Keeps a patient’s blind lists; answered when they are stored durably',
  ...body,
  responses: { 204: { description: 'They are kept' }, default: problem }
})

const queryRoute = createRoute({
  method: 'post',
  path: '/v1/blind/query',
  summary: 'Blind lists by their tags, for who may read the record',
  ...body,
  responses: { 200: { description: 'The lists', content: { [CBOR]: { schema: bytes } } }, default: problem }
})

/** Adds the routes to a node's application. */
export function addBlindRoutes(
  app: OpenAPIHono<{ Bindings: HttpBindings }>,
  { lists, guard }: { readonly lists: BlindLists; readonly guard: ReadGuard }
): void {
  app.openapi(putRoute, async context => {
    const upload = decodeBlindUpload(await bodyOf(context))
    const { patient, author, grant } = guard.admit(upload.authorization)
    // Whoever may write entries could still replace the patient's lists by its own: only the patient makes them.
    if (grant != null) throw new SalusError('BLIND_LIST_AUTHOR', 'Refused: only the patient makes blind lists.')
    await lists.put({ patient, author }, upload.lists)
    return context.body(null, 204)
  })
  app.openapi(queryRoute, async context => {
    const { authorization, tag, generation, blindTags } = decodeBlindQuery(await bodyOf(context))
    const { patient } = guard.admit(authorization)
    const found: (Uint8Array | null)[] = []
    for (const blindTag of blindTags) found.push(await lists.get({ patient, tag, generation }, blindTag))
    return context.body(new Uint8Array(encodeBlindAnswer(found)), 200, { 'content-type': CBOR })
  })
}
