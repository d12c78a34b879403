/** One call of a node's HTTP API, typed by its OpenAPI document. */
import { SalusError } from '#core/error.ts'
import { MAX_JSON_ANSWER_BYTES, bytesIn } from '#node/http/answer.ts'
import { MEDIA, type Operations } from '#node/http/client-types.ts'

/** How to reach a node. */
export interface NodeClientInit {
  /** For example `http://127.0.0.1:8787`. */
  readonly url: string
  /** Another `fetch`, for tests or proxies. */
  readonly fetch?: typeof fetch
  /** Ends every call that is under way. */
  readonly signal?: AbortSignal
  /** Most time one call may take; 30 s if not given, 120 s for relayed requests and blobs. */
  readonly timeoutMs?: number
  /** Of an operator (docs/specs/sign-in.md). */
  readonly token?: string
}

/** What an operation takes: `path`, `query` and `body` where it has them. */
export type CallInput<O extends keyof Operations> = {
  readonly [K in 'path' | 'query' | 'body' as Operations[O][K] extends undefined ? never : K]: Operations[O][K]
} & {
  /** Most time it may take, where the client is told nothing. */
  readonly timeoutMs?: number
  /** Longest answer; of JSON 16 MiB unless told. */
  readonly maxBytes?: number
}

/** One call. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly body?: Uint8Array
  readonly type?: string
  readonly timeoutMs?: number
}

const JSON_TYPE = 'application/json'

/**
 * Calls an operation, for example `GET /v1/status`.
 *
 * @throws SalusError the code of the node's problem, or `NODE_UNREACHABLE`, `NODE_TIMEOUT`, `NODE_ANSWER`
 */
export async function callNode<O extends keyof Operations>(
  init: NodeClientInit,
  operation: O,
  input: CallInput<O>
): Promise<Operations[O]['answer']> {
  const {
    path = {},
    query = {},
    body,
    timeoutMs,
    maxBytes
  } = input as Readonly<Record<string, unknown>> & {
    readonly path?: Readonly<Record<string, string>>
    readonly query?: Readonly<Record<string, string | number>>
    readonly timeoutMs?: number
    readonly maxBytes?: number
  }
  const [method = '', pattern = ''] = operation.split(' ')
  const media = MEDIA[operation]
  const place = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''))
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) asked.set(name, String(value))
  const response = await sendTo(init, {
    method,
    path: asked.size === 0 ? place : `${place}?${asked.toString()}`,
    ...(media.body == null ? {} : { body: bytesOf(media.body, body), type: media.body }),
    ...(timeoutMs == null ? {} : { timeoutMs })
  })
  const bytes = await bytesIn(response, maxBytes ?? MAX_JSON_ANSWER_BYTES)
  const answer = media.answer == null ? undefined : valueOf(media.answer, bytes)
  return answer as Operations[O]['answer']
}

function bytesOf(type: string, body: unknown): Uint8Array {
  return type === JSON_TYPE ? new TextEncoder().encode(JSON.stringify(body)) : (body as Uint8Array)
}

function valueOf(type: string, bytes: Uint8Array): unknown {
  if (type === JSON_TYPE) return parsed(bytes)
  return type.startsWith('text/') || type === 'application/openmetrics-text' ? new TextDecoder().decode(bytes) : bytes
}

/** Sends one call; throws as {@link callNode} says. */
export async function sendTo(init: NodeClientInit, call: Call): Promise<Response> {
  const limit = AbortSignal.timeout(init.timeoutMs ?? call.timeoutMs ?? 30_000)
  const signal = init.signal == null ? limit : AbortSignal.any([init.signal, limit])
  let response: Response
  try {
    response = await (init.fetch ?? fetch)(new URL(call.path, init.url), {
      method: call.method,
      signal,
      headers: {
        ...(call.type == null ? {} : { 'content-type': call.type }),
        ...(init.token == null ? {} : { authorization: `Bearer ${init.token}` })
      },
      ...(call.body == null ? {} : { body: new Uint8Array(call.body) })
    })
  } catch (cause) {
    if (limit.aborted)
      throw new SalusError('NODE_TIMEOUT', 'The node did not answer in time; try again or ask another node.', { cause })
    throw new SalusError('NODE_UNREACHABLE', `No node answers at ${init.url}; check the address and that it runs.`, {
      cause
    })
  }
  if (!response.ok) throw await problemOf(response)
  return response
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new SalusError('NODE_ANSWER', 'The node gave an answer that is not JSON; is this address a Salus node?', {
      cause
    })
  }
}

async function problemOf(response: Response): Promise<SalusError> {
  const body: unknown = await bytesIn(response, MAX_JSON_ANSWER_BYTES)
    .then(parsed)
    .catch(() => undefined)
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown }
  return typeof code === 'string' && typeof detail === 'string'
    ? new SalusError(code, detail)
    : new SalusError('NODE_ANSWER', `The node answered ${String(response.status)} without saying why.`)
}
