/** How a route of the agent's API is described, once for validation and for the OpenAPI document. */
import { createRoute, z } from '@hono/zod-openapi'
import type { ZodObject, ZodType } from 'zod'
import { MAX_FILE_BYTES, MAX_JSON_BODY_BYTES } from '#agent/api/wire.ts'
import { atMost, ofType, strictJson } from '#node/http/body.ts'

const JSON_TYPE = 'application/json'
const PROBLEM = { description: 'What went wrong, with a stable code' }
const bytesSchema = z.any().openapi({ type: 'string', format: 'binary' })

/** A question without a body. */
export function getRoute<
  const Path extends string,
  Params extends ZodObject,
  Query extends ZodObject,
  Answer extends ZodType
>(
  path: Path,
  summary: string,
  { params, query, answer }: { readonly params: Params; readonly query: Query; readonly answer: Answer }
) {
  return createRoute({
    method: 'get',
    path,
    summary,
    request: { params, query },
    responses: { 200: jsonOf(answer), default: PROBLEM }
  })
}

/** A request with a JSON body. */
export function postRoute<
  const Path extends string,
  Params extends ZodObject,
  Body extends ZodType,
  Answer extends ZodType
>(
  path: Path,
  summary: string,
  { params, body, answer }: { readonly params: Params; readonly body: Body; readonly answer: Answer }
) {
  return createRoute({
    method: 'post',
    path,
    summary,
    middleware: [ofType(JSON_TYPE), atMost(MAX_JSON_BODY_BYTES), strictJson],
    request: { params, body: { required: true, content: { [JSON_TYPE]: { schema: body } } } },
    responses: { 200: jsonOf(answer), default: PROBLEM }
  })
}

/** A request whose body is a file of any type. */
export function fileRoute<
  const Path extends string,
  Params extends ZodObject,
  Query extends ZodObject,
  Answer extends ZodType
>(
  path: Path,
  summary: string,
  { params, query, answer }: { readonly params: Params; readonly query: Query; readonly answer: Answer }
) {
  return createRoute({
    method: 'post',
    path,
    summary,
    middleware: [atMost(MAX_FILE_BYTES)],
    request: { params, query, body: { required: true, content: { '*/*': { schema: bytesSchema } } } },
    responses: { 200: jsonOf(answer), default: PROBLEM }
  })
}

/** A question that bytes answer. */
export function bytesRoute<const Path extends string, Params extends ZodObject>(
  path: Path,
  summary: string,
  { params }: { readonly params: Params }
) {
  return createRoute({
    method: 'get',
    path,
    summary,
    request: { params },
    responses: {
      200: { description: 'The bytes', content: { 'application/octet-stream': { schema: bytesSchema } } },
      default: PROBLEM
    }
  })
}

/** No parameters. */
export const none = z.strictObject({})

function jsonOf<Answer extends ZodType>(schema: Answer) {
  return { description: 'Done', content: { [JSON_TYPE]: { schema } } } as const
}
