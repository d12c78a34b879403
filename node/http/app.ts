/** The HTTP API of a node (docs/specs/http-api.md). */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Clock } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { atMost, bodyOf } from '#node/http/body.ts'
import { answerGateway, answerGrant, answerModel } from '#node/http/chain-answers.ts'
import { noteAsker, noteCaller, whoseIs } from '#node/http/caller.ts'
import { corsFor } from '#node/http/cors.ts'
import { answerHead } from '#node/http/head-answer.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { idempotent } from '#node/http/idempotency.ts'
import { observed } from '#node/http/observe.ts'
import { addIpfsRoute } from '#node/http/ipfs-route.ts'
import { problemResponse } from '#node/http/problem.ts'
import { answerCapsules, answerEntries, answerNotices, readCidParam, takeBlob } from '#node/http/record-answers.ts'
import {
  capsulesRoute,
  entriesRoute,
  erasureRoute,
  gatewayRoute,
  grantRoute,
  headRoute,
  healthRoute,
  messageRoute,
  modelRoute,
  noticesRoute,
  putBlobRoute,
  readyRoute,
  relayRoute,
  statusRoute
} from '#node/http/routes.ts'
import { MAX_JSON_BODY_BYTES } from '#node/http/wire.ts'
import type { Wanted } from '#node/placement/confirm.ts'
import { createRateLimiter, type Rate } from '#node/network/rate-limiter.ts'

/** What the API may be told. */
export interface HttpAppInit {
  readonly version: string
  readonly network: Uint8Array
  readonly clock: Clock
  /** Origins of web pages that may use the whole API; none unless told. */
  readonly corsOrigins?: readonly string[]
  /** Addresses of reverse proxies whose word on who asks is believed; none unless told. */
  readonly trustedProxies?: readonly string[]
  /** Requests of one address or token; 200 a second, 1,000 at once unless told. */
  readonly requests?: Rate
  /** Relayed requests of one address, which cost the operator gas; 20 a second, 200 at once unless told. */
  readonly relays?: Rate
}

/** Routes that change something and take an `Idempotency-Key`; not the one that makes tokens, whose answer must not lie on the disk. */
const IDEMPOTENT = ['/v1/relay', '/v1/messages', '/v1/peers']

type Env = { Bindings: HttpBindings }

/** Makes the application; who listens is another matter (node/http/server.ts). */
export function createHttpApp(components: HttpComponents, init: HttpAppInit): OpenAPIHono<Env> {
  const { log } = components
  const { requests = { perSecond: 200, burst: 1_000 }, relays = { perSecond: 20, burst: 200 } } = init
  const requestRate = createRateLimiter({ clock: init.clock }, requests)
  const relayRate = createRateLimiter({ clock: init.clock }, relays)
  const app = new OpenAPIHono<Env>({
    defaultHook: result => {
      if (result.success) return
      // Where, never what: a body may hold what must not be in an answer or a log.
      const place = result.error.issues[0]?.path.join('.') ?? ''
      throw new SalusError('HTTP_BODY_SHAPE', `The request is not as documented at "${place}"; see /openapi.json.`)
    }
  })

  const { auth, answered, httpMetrics } = components
  if (httpMetrics != null) app.use(observed(httpMetrics))
  // Which pages may have an answer is for the next one to say.
  app.use(secureHeaders({ crossOriginResourcePolicy: false }))
  app.use(corsFor(init.corsOrigins ?? []))
  app.use(noteAsker(init.trustedProxies ?? []))
  const limited: MiddlewareHandler = async (context, next) => {
    const { asker } = context.var
    const isRelay = context.req.path === '/v1/relay'
    if (!requestRate.take(whoseIs(context)) || (isRelay && !relayRate.take(asker))) {
      throw new SalusError('HTTP_RATE', 'Too many requests from this address or token; slow down.')
    }
    await next()
  }
  // A token has limits of its own; one that opens nothing counts against its address.
  if (auth == null) app.use(limited)
  else app.use(noteCaller(auth, limited))
  if (answered != null) {
    const once = idempotent(answered, whoseIs)
    for (const path of IDEMPOTENT) app.post(path, atMost(MAX_JSON_BODY_BYTES), once)
  }
  app.onError((error, context) => problemResponse(context, fromHono(error), log))
  app.notFound(context =>
    problemResponse(context, new SalusError('HTTP_NOT_FOUND', 'There is nothing here; see /openapi.json.'), log)
  )

  app.openapi(statusRoute, async context => context.json(await components.status(), 200))
  app.openapi(healthRoute, context => context.json({ ok: true, waitingFor: [] }, 200))
  app.openapi(readyRoute, context => {
    const waitingFor = [...components.waitingFor()]
    const ok = waitingFor.length === 0
    return context.json({ ok, waitingFor }, ok ? 200 : 503)
  })
  app.openapi(relayRoute, async context => {
    const { relayer } = components
    if (relayer == null) throw new SalusError('RELAY_DISABLED', 'This node does not relay; ask another.')
    return context.json(await relayer.submit(context.req.valid('json'), context.var.asker), 200)
  })
  app.openapi(messageRoute, async context => {
    const wanted = wantedOf(context.req.valid('query').replicas, context.req.raw.signal)
    const {
      verdict,
      code = 'MESSAGE_IGNORED',
      position,
      heldBy
    } = await components.submit(await bodyOf(context), wanted)
    if (position != null) {
      const status = verdict === 'accept' ? ('stored' as const) : ('known' as const)
      return context.json({ status, position, ...(heldBy == null ? {} : { heldBy: [...heldBy] }) }, 200)
    }
    throw new SalusError(code, 'The node does not take this message; docs/errors.md explains the code.')
  })
  app.openapi(entriesRoute, async context =>
    context.json(await answerEntries(components, context.req.valid('json')), 200)
  )
  app.openapi(noticesRoute, async context =>
    context.json(await answerNotices(components, context.req.valid('json')), 200)
  )
  app.openapi(headRoute, async context =>
    context.json(await answerHead(components, context.req.valid('json'), context.req.raw.signal), 200)
  )
  app.openapi(capsulesRoute, async context =>
    context.json(await answerCapsules(components, init.network, context.req.valid('json').grantId), 200)
  )
  app.openapi(putBlobRoute, async context => {
    const cid = readCidParam(context.req.valid('param').cid)
    const sizeBytes = await takeBlob(components, cid, context.req.raw.body)
    const wanted = wantedOf(context.req.valid('query').replicas, context.req.raw.signal)
    const heldBy = await components.confirmBlob(cid, sizeBytes, wanted)
    return context.json({ sizeBytes, ...(heldBy == null ? {} : { heldBy }) }, 200)
  })
  addIpfsRoute(app, components)
  app.openapi(erasureRoute, async context => {
    const attestation = await components.attestation(context.req.valid('param').id)
    return context.body(new Uint8Array(attestation), 200, { 'content-type': 'application/cbor' })
  })
  app.openapi(grantRoute, context => context.json(answerGrant(components.view(), context.req.valid('param').id), 200))
  app.openapi(gatewayRoute, context =>
    context.json(answerGateway(components.view(), context.req.valid('param').id), 200)
  )
  app.openapi(modelRoute, context => context.json(answerModel(components.view(), context.req.valid('param').id), 200))
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Salus node', version: init.version, license: { name: 'Apache-2.0' } }
  })
  return app
}

/** How many nodes whoever asks wants something to be on. */
function wantedOf(replicas: number | undefined, signal: AbortSignal): Partial<Wanted> {
  return replicas == null ? { signal } : { replicas, signal }
}

/** Hono's own refusals, which have a status but no code. */
function fromHono(error: unknown): unknown {
  if (!(error instanceof Error) || !('status' in error) || error instanceof SalusError) return error
  return error.status === 400
    ? new SalusError('HTTP_BODY_MALFORMED', 'The body is not one whole JSON value.', { cause: error })
    : error
}
