/** The routes of the HTTP API, as they validate and as the OpenAPI document shows them (docs/specs/http-api.md). */
import { createRoute, z } from '@hono/zod-openapi'
import type { ZodType } from 'zod'
import { atMost, ofType, strictJson } from '#node/http/body.ts'
import {
  blobAnswer,
  capsulesAnswer,
  capsulesQuery,
  cidParam,
  entriesAnswer,
  entriesQuery,
  gatewayAnswer,
  grantAnswer,
  headAnswer,
  headQuery,
  healthBody,
  idParam,
  MAX_JSON_BODY_BYTES,
  MAX_MESSAGE_BODY_BYTES,
  messageAnswer,
  replicasQuery,
  modelAnswer,
  noticesAnswer,
  problemBody,
  relayAnswer,
  relayRequest,
  statusBody
} from '#node/http/wire.ts'

const JSON_TYPE = 'application/json'

const problem = {
  description: 'What went wrong, with a stable code',
  content: { 'application/problem+json': { schema: problemBody } }
} as const

function json<T extends ZodType>(schema: T, description: string) {
  return { description, content: { [JSON_TYPE]: { schema } } } as const
}

function jsonBody<T extends ZodType>(schema: T) {
  return { required: true, content: { [JSON_TYPE]: { schema } } } as const
}

const jsonMiddleware = [ofType(JSON_TYPE), atMost(MAX_JSON_BODY_BYTES), strictJson]
const bytesSchema = z.any().openapi({ type: 'string', format: 'binary' })

/** `GET /v1/status` */
export const statusRoute = createRoute({
  method: 'get',
  path: '/v1/status',
  summary: 'What the node is and where it stands',
  responses: { 200: json(statusBody, 'The node’s state') }
})

/** `GET /healthz` */
export const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process lives',
  responses: { 200: json(healthBody, 'It lives') }
})

/** `GET /readyz` */
export const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether the node follows the chain and serves',
  responses: { 200: json(healthBody, 'Ready'), 503: json(healthBody, 'Not ready: what it waits for') }
})

/** `POST /v1/relay` */
export const relayRoute = createRoute({
  method: 'post',
  path: '/v1/relay',
  summary: 'Sends a signed request to the chain and waits until it is in a block',
  middleware: jsonMiddleware,
  request: { body: jsonBody(relayRequest) },
  responses: { 200: json(relayAnswer, 'Applied, or had been'), default: problem }
})

/** `POST /v1/messages` */
export const messageRoute = createRoute({
  method: 'post',
  path: '/v1/messages',
  summary: 'Hands in a network message; answered when it is stored durably',
  middleware: [ofType('application/cbor'), atMost(MAX_MESSAGE_BODY_BYTES)],
  request: {
    query: replicasQuery,
    body: { required: true, content: { 'application/cbor': { schema: bytesSchema } } }
  },
  responses: { 200: json(messageAnswer, 'Stored'), default: problem }
})

/** `POST /v1/entries/query` */
export const entriesRoute = createRoute({
  method: 'post',
  path: '/v1/entries/query',
  summary: 'A patient’s sealed entries, for who may read them',
  middleware: jsonMiddleware,
  request: { body: jsonBody(entriesQuery) },
  responses: { 200: json(entriesAnswer, 'A page of entries'), default: problem }
})

/** `POST /v1/notices/query` */
export const noticesRoute = createRoute({
  method: 'post',
  path: '/v1/notices/query',
  summary: 'Erasures and records of emergencies of a patient, for who may read its entries',
  middleware: jsonMiddleware,
  request: { body: jsonBody(entriesQuery) },
  responses: { 200: json(noticesAnswer, 'A page of notices'), default: problem }
})

/** `POST /v1/heads/query` */
export const headRoute = createRoute({
  method: 'post',
  path: '/v1/heads/query',
  summary: 'The newest entry of a record, or a newer one as soon as there is one',
  middleware: jsonMiddleware,
  request: { body: jsonBody(headQuery) },
  responses: { 200: json(headAnswer, 'The head'), default: problem }
})

/** `POST /v1/capsules/query` */
export const capsulesRoute = createRoute({
  method: 'post',
  path: '/v1/capsules/query',
  summary: 'The newest capsule of a grant; it opens for its grantee only',
  middleware: jsonMiddleware,
  request: { body: jsonBody(capsulesQuery) },
  responses: { 200: json(capsulesAnswer, 'The capsule, or none'), default: problem }
})

/** `PUT /v1/blobs/{cid}` */
export const putBlobRoute = createRoute({
  method: 'put',
  path: '/v1/blobs/{cid}',
  summary: 'Stores a sealed blob that an accepted entry names',
  middleware: [ofType('application/octet-stream')],
  request: {
    params: cidParam,
    query: replicasQuery,
    body: { required: true, content: { 'application/octet-stream': { schema: bytesSchema } } }
  },
  responses: { 200: json(blobAnswer, 'Stored'), default: problem }
})

/** `GET /ipfs/{cid}` */
export const getBlobRoute = createRoute({
  method: 'get',
  path: '/ipfs/{cid}',
  summary: 'The sealed bytes of a blob, from this node or its peers',
  request: { params: cidParam },
  responses: {
    200: { description: 'The bytes', content: { 'application/octet-stream': { schema: bytesSchema } } },
    default: problem
  }
})

/** `GET /v1/erasures/{id}` */
export const erasureRoute = createRoute({
  method: 'get',
  path: '/v1/erasures/{id}',
  summary: 'This node’s signed attestation that it erased what an erasure names, by the erasure’s SHA-256',
  request: { params: idParam },
  responses: {
    200: { description: 'The attestation', content: { 'application/cbor': { schema: bytesSchema } } },
    default: problem
  }
})

/** `GET /v1/grants/{id}` */
export const grantRoute = createRoute({
  method: 'get',
  path: '/v1/grants/{id}',
  summary: 'A grant as the chain has it',
  request: { params: idParam },
  responses: { 200: json(grantAnswer, 'The grant'), default: problem }
})

/** `GET /v1/gateways/{id}` */
export const gatewayRoute = createRoute({
  method: 'get',
  path: '/v1/gateways/{id}',
  summary: 'A gateway and its newest anchor as the chain has them',
  request: { params: idParam },
  responses: { 200: json(gatewayAnswer, 'The gateway'), default: problem }
})

/** `GET /v1/models/{id}` */
export const modelRoute = createRoute({
  method: 'get',
  path: '/v1/models/{id}',
  summary: 'A device model and its newest releases as the chain has them',
  request: { params: idParam },
  responses: { 200: json(modelAnswer, 'The model'), default: problem }
})
