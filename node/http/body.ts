/** Reading request bodies: typed, bounded before anything is parsed, strict. */
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { decode } from 'cborg/json'
import { SalusError } from '#core/error.ts'

/** Deepest nesting of a body: validating it recurses. */
const MAX_DEPTH = 16

/** Refuses a body that is larger, whether it says so or not. */
export function atMost(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw tooLarge(maxSize)
    }
  })
}

/** The error of a body above its limit. */
export function tooLarge(maxBytes: number): SalusError {
  return new SalusError('HTTP_BODY_TOO_LARGE', `The body has more than ${String(maxBytes)} bytes.`)
}

/** Refuses a body of another media type. */
export function ofType(type: string): MiddlewareHandler {
  return async (context, next) => {
    const given = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (given !== type) throw new SalusError('HTTP_TYPE', `The body must be ${type}; set the content-type header.`)
    await next()
  }
}

/** Refuses JSON that is cut short, goes on after its end or names a key twice, all of which `JSON.parse` reads somehow. */
export const strictJson: MiddlewareHandler = async (context, next) => {
  parseStrictJson(await bodyOf(context))
  await next()
}

/**
 * Reads one whole JSON value.
 *
 * @throws SalusError `HTTP_BODY_TRUNCATED`, `HTTP_BODY_TRAILING`, `HTTP_BODY_DUPLICATE_KEY`, `HTTP_BODY_MALFORMED`; `HTTP_BODY_SHAPE`
 * if it is nested too deep
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = decode(bytes, { rejectDuplicateMapKeys: true })
  } catch (cause) {
    throw new SalusError(`HTTP_BODY_${problemOf(cause)}`, 'The body is not one whole JSON value.', { cause })
  }
  if (isDeeper(value, MAX_DEPTH)) throw new SalusError('HTTP_BODY_SHAPE', 'The body is nested deeper than any request.')
  return value
}

/** Whether lists and maps lie in each other deeper than a limit; looks no deeper itself. */
function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return limit === 0 || Object.values(value).some(item => isDeeper(item, limit - 1))
}

/** The body's bytes; hono keeps them for whoever reads it again. */
export async function bodyOf(context: Context): Promise<Uint8Array> {
  return new Uint8Array(await context.req.arrayBuffer())
}

function problemOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : ''
  if (/repeat map key|duplicate/i.test(text)) return 'DUPLICATE_KEY'
  if (/too many terminals|trailing/i.test(text)) return 'TRAILING'
  if (/unexpected end|not enough|did not find any/i.test(text)) return 'TRUNCATED'
  return 'MALFORMED'
}
