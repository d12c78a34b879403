/** The HTTP routes of a custodian (docs/specs/custody.md, docs/specs/receipts.md). */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import { MAX_CUSTODY_REQUEST_BYTES } from '#core/custody/release-request.ts'
import { MAX_SEALED_SHARE_BYTES } from '#core/custody/sealed-share.ts'
import { TILE_WIDTH, readTilePath } from '#core/receipts/tiles.ts'
import { atMost, bodyOf, ofType } from '#node/http/body.ts'
import { problemBody } from '#node/http/wire.ts'
import type { Custodian } from '#node/custody/custodian.ts'
import type { ReceiptLog } from '#node/custody/receipt-log.ts'

const CBOR = 'application/cbor'
const bytes = z.any().openapi({ type: 'string', format: 'binary' })
const problem = {
  description: 'What went wrong, with a stable code',
  content: { 'application/problem+json': { schema: problemBody } }
} as const

function answer(description: string, type: string = CBOR) {
  return { 200: { description, content: { [type]: { schema: bytes } } }, default: problem }
}

function cborBody(maxBytes: number) {
  return {
    middleware: [ofType(CBOR), atMost(maxBytes)],
    request: { body: { required: true, content: { [CBOR]: { schema: bytes } } } }
  }
}

const cardRoute = createRoute({
  method: 'get',
  path: '/v1/custody/card',
  summary: 'The keys that shares are sealed to, signed by this node',
  responses: answer('An encoded custodian’s card')
})

const keepRoute = createRoute({
  method: 'post',
  path: '/v1/custody/shares',
  summary: 'Hands in a share that is sealed to this node; answered when it is stored durably',
  ...cborBody(MAX_SEALED_SHARE_BYTES),
  responses: answer('A signed confirmation')
})

const releaseRoute = createRoute({
  method: 'post',
  path: '/v1/custody/releases',
  summary: 'Asks for a share under a claimed grant or in an emergency; answered after its receipt is stored durably',
  ...cborBody(MAX_CUSTODY_REQUEST_BYTES),
  responses: answer('The plan, and the share sealed to who asks')
})

const checkpointRoute = createRoute({
  method: 'get',
  path: '/v1/receipts/checkpoint',
  summary: 'The signed head of this node’s log of receipts (C2SP tlog-checkpoint)',
  responses: answer('A signed note', 'text/plain')
})

const tileRoute = createRoute({
  method: 'get',
  path: '/v1/receipts/{tile}',
  summary: 'A tile of the log’s tree, or a bundle of its receipts (C2SP tlog-tiles)',
  request: {
    params: z.object({
      tile: z
        .string()
        .max(64)
        .regex(/^tile\//)
        .openapi({ param: { name: 'tile', in: 'path' } })
    })
  },
  responses: answer('Hashes or entries', 'application/octet-stream')
})

const TILES = '/v1/receipts/'

/** Adds the routes to a node's application. */
export function addCustodyRoutes(
  app: OpenAPIHono<{ Bindings: HttpBindings }>,
  { custodian, receipts, card }: { custodian: Custodian; receipts: ReceiptLog; card: Uint8Array }
): void {
  const cbor = { 'content-type': CBOR }
  app.openapi(cardRoute, context => context.body(new Uint8Array(card), 200, cbor))
  app.openapi(keepRoute, async context =>
    context.body(new Uint8Array(await custodian.keep(await bodyOf(context))), 200, cbor)
  )
  app.openapi(releaseRoute, async context =>
    context.body(new Uint8Array(await custodian.release(await bodyOf(context))), 200, cbor)
  )
  app.openapi(checkpointRoute, context =>
    context.body(receipts.checkpoint(), 200, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store'
    })
  )
  app.openAPIRegistry.registerPath(tileRoute)
  // A tile's name has slashes, which a parameter of the document's kind cannot have.
  app.get(`${TILES}tile/*`, async context => {
    const name = readTilePath(context.req.path.slice(TILES.length))
    const tile = await receipts.tile(name)
    const age = name.width === TILE_WIDTH ? 'public, max-age=31536000, immutable' : 'public, max-age=60'
    return context.body(new Uint8Array(tile), 200, { 'content-type': 'application/octet-stream', 'cache-control': age })
  })
}
