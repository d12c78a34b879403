/** The routes for those who operate a node (docs/specs/http-api.md#operating). */
import { createRoute, z } from '@hono/zod-openapi'
import type { ZodType } from 'zod'
import type { Scope } from '#node/auth/scopes.ts'
import { atMost, ofType, strictJson } from '#node/http/body.ts'
import { needs } from '#node/http/caller.ts'
import {
  challengeAnswer,
  challengeRequest,
  connectAnswer,
  connectRequest,
  eventsParam,
  issuedAnswer,
  mintRequest,
  peerParam,
  peersAnswer,
  signInRequest,
  tokenParam,
  tokensAnswer
} from '#node/http/operator-wire.ts'
import { problemBody } from '#node/http/wire.ts'

const MAX_BODY_BYTES = 32 * 1024
const JSON_TYPE = 'application/json'
const problem = {
  description: 'What went wrong, with a stable code',
  content: { 'application/problem+json': { schema: problemBody } }
} as const
const jsonMiddleware = [ofType(JSON_TYPE), atMost(MAX_BODY_BYTES), strictJson]
const text = z.string()

function json<T extends ZodType>(schema: T, description: string) {
  return { 200: { description, content: { [JSON_TYPE]: { schema } } }, default: problem } as const
}

function body<T extends ZodType>(schema: T) {
  return { required: true, content: { [JSON_TYPE]: { schema } } } as const
}

/** Asked for before the body is looked at. */
function behind(scope: Scope) {
  return { security: [{ token: [scope] }] }
}

const nothing = { 204: { description: 'Done' }, default: problem } as const

/** `POST /v1/auth/challenge` */
export const challengeRoute = createRoute({
  method: 'post',
  path: '/v1/auth/challenge',
  summary: 'A text for an operator’s account to sign (EIP-4361)',
  middleware: jsonMiddleware,
  request: { body: body(challengeRequest) },
  responses: json(challengeAnswer, 'The text, and until when it may be signed')
})

/** `POST /v1/auth/token` */
export const signInRoute = createRoute({
  method: 'post',
  path: '/v1/auth/token',
  summary: 'A token for a signed text; each text is good for one',
  middleware: jsonMiddleware,
  request: { body: body(signInRequest) },
  responses: json(issuedAnswer, 'The token, told this once')
})

/** `POST /v1/auth/tokens` */
export const mintRoute = createRoute({
  method: 'post',
  path: '/v1/auth/tokens',
  summary: 'A further token that may do no more than the one that asks',
  ...behind('tokens'),
  middleware: [needs('tokens'), ...jsonMiddleware],
  request: { body: body(mintRequest) },
  responses: json(issuedAnswer, 'The token, told this once')
})

/** `GET /v1/auth/tokens` */
export const tokensRoute = createRoute({
  method: 'get',
  path: '/v1/auth/tokens',
  summary: 'The tokens that live: all of them for the scope tokens, else those of the same account',
  ...behind('status:read'),
  middleware: [needs('status:read')],
  responses: json(tokensAnswer, 'What they are good for, not the tokens')
})

/** `DELETE /v1/auth/tokens/{id}` */
export const revokeRoute = createRoute({
  method: 'delete',
  path: '/v1/auth/tokens/{id}',
  summary: 'Ends a token: any with the scope tokens, itself without',
  security: [{ token: [] }],
  request: { params: tokenParam },
  responses: nothing
})

/** `GET /v1/peers` */
export const peersRoute = createRoute({
  method: 'get',
  path: '/v1/peers',
  summary: 'The connected peers',
  ...behind('status:read'),
  middleware: [needs('status:read')],
  responses: json(peersAnswer, 'The peers')
})

/** `POST /v1/peers` */
export const connectRoute = createRoute({
  method: 'post',
  path: '/v1/peers',
  summary: 'Connects with a peer, until one of both lets go',
  ...behind('peers:write'),
  middleware: [needs('peers:write'), ...jsonMiddleware],
  request: { body: body(connectRequest) },
  responses: json(connectAnswer, 'Connected')
})

/** `DELETE /v1/peers/{peerId}` */
export const disconnectRoute = createRoute({
  method: 'delete',
  path: '/v1/peers/{peerId}',
  summary: 'Lets go of a peer; it may come back',
  ...behind('peers:write'),
  middleware: [needs('peers:write')],
  request: { params: peerParam },
  responses: nothing
})

/** `POST /v1/peers/{peerId}/ban` */
export const banRoute = createRoute({
  method: 'post',
  path: '/v1/peers/{peerId}/ban',
  summary: 'Cuts a peer off as for bad conduct: ten minutes, twice as long each further time',
  ...behind('peers:write'),
  middleware: [needs('peers:write')],
  request: { params: peerParam },
  responses: nothing
})

/** `GET /v1/events` */
export const eventsRoute = createRoute({
  method: 'get',
  path: '/v1/events',
  summary: 'Server-sent events: `block` for everyone, further topics with the scope events; resumable by Last-Event-ID',
  request: { query: eventsParam },
  responses: { 200: { description: 'Events', content: { 'text/event-stream': { schema: text } } }, default: problem }
})

/** `GET /metrics` */
export const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Metrics (OpenMetrics 1.0), with the scope metrics unless the configuration makes them public',
  ...behind('metrics'),
  responses: {
    200: { description: 'Metrics', content: { 'application/openmetrics-text': { schema: text } } },
    default: problem
  }
})
