/** Typed client of a node's HTTP API (docs/specs/http-api.md); what agents, scripts and the story speak to a node with. */
import { base64url } from 'multiformats/bases/base64'
import { toHex } from '#core/encoding/bytes.ts'
import { MAX_ATTESTATION_BYTES } from '#core/custody/attestation.ts'
import { SalusError } from '#core/error.ts'
import { MAX_JSON_ANSWER_BYTES, bytesIn } from '#node/http/answer.ts'
import type {
  CapsulesAnswer,
  HeadAnswer,
  EntriesAnswer,
  GatewayAnswer,
  GrantAnswer,
  Health,
  MessageAnswer,
  ModelAnswer,
  NoticesAnswer,
  RelayAnswer,
  RelayRequest,
  RelayValue,
  Status
} from '#node/http/wire.ts'

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
}

/** An argument of a contract's method; tuples are lists in the order of their fields. */
export type RelayArgument = string | number | boolean | bigint | Uint8Array | readonly RelayArgument[]

/** A signed request for a contract (core/abi/typed-data/). */
export interface SignedRequest {
  readonly contract: RelayRequest['contract']
  readonly method: string
  readonly args: readonly RelayArgument[]
}

/** One stored entry as a node hands it out; `blob` is null where it has to be fetched by its CID. */
export interface StoredEntry {
  readonly position: number
  readonly header: Uint8Array
  readonly slot: Uint8Array
  readonly evidence: Uint8Array
  readonly blob: Uint8Array | null
}

/** An encoded erasure (core/custody/erasure.ts), rotation (core/grant/rotation.ts), or record of an emergency without a network (core/custody/break-glass.ts). */
export interface Notice {
  readonly position: number
  readonly kind: 'erasure' | 'glass' | 'rotation'
  readonly body: Uint8Array
}

/** Every call throws SalusError with the code of the node's problem, or `NODE_UNREACHABLE`, `NODE_TIMEOUT`, `NODE_ANSWER`. */
export interface NodeClient {
  status(): Promise<Status>
  ready(): Promise<Health>
  /** Sends a signed request to the chain and waits until it is in a block. */
  relay(request: SignedRequest): Promise<RelayAnswer>
  /**
   * Hands in an encoded network message (core/network/envelope.ts); resolves once it is stored durably.
   *
   * @param replicas - on how many nodes; what the node is set to unless told. `STORE_REPLICAS` if the others do not confirm in time
   */
  publish(message: Uint8Array, options?: { readonly replicas?: number }): Promise<MessageAnswer>
  /** A patient's entries, oldest first; `authorization` is an encoded read request (core/grant/read-request.ts), for one use. */
  queryEntries(query: {
    readonly authorization: Uint8Array
    readonly after?: number
    readonly limit?: number
  }): Promise<{ entries: StoredEntry[]; next: number | null }>
  /** A patient's erasures and records of emergencies, oldest first; takes what {@link NodeClient.queryEntries} takes. */
  queryNotices(query: {
    readonly authorization: Uint8Array
    readonly after?: number
    readonly limit?: number
  }): Promise<{ notices: Notice[]; next: number | null }>
  /**
   * The newest entry of a record: its place at the node and its signed header; null of an empty one.
   *
   * @param query - `waitMs`: how long to wait for one after the position `after`
   */
  queryHead(query: {
    readonly authorization: Uint8Array
    readonly after?: number
    readonly waitMs?: number
  }): Promise<{ readonly position: number; readonly header: Uint8Array } | null>
  /** The newest capsule of a grant (`0x…`), or none. */
  queryCapsules(grantId: string): Promise<{ position: number; capsule: Uint8Array }[]>
  /** @param replicas - as {@link NodeClient.publish} */
  putBlob(cid: string, bytes: Uint8Array, options?: { readonly replicas?: number }): Promise<void>
  /** @param maxBytes - what its header says, where that is known */
  getBlob(cid: string, maxBytes?: number): Promise<Uint8Array>
  /** The node's attestation of an erasure, by the erasure's SHA-256 (`0x…`); `ERASURE_UNKNOWN` until it is done. */
  attestation(digest: string): Promise<Uint8Array>
  grant(grantId: string): Promise<GrantAnswer>
  gateway(gatewayId: string): Promise<GatewayAnswer>
  model(modelId: string): Promise<ModelAnswer>
}

const SLOW_MS = 120_000
/** Blobs of more than an outbox takes. */
const MAX_BLOB_BYTES = 300 << 20
const JSON_TYPE = 'application/json'

/** One call. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: Uint8Array
  readonly type?: string
  readonly timeoutMs?: number
}

/** Makes a client; nothing is sent before the first call. */
export function createNodeClient(init: NodeClientInit): NodeClient {
  const send = async (call: Call): Promise<Response> => sendTo(init, call)
  const getJson = async <T>(path: string): Promise<T> => jsonOf<T>(await send({ method: 'GET', path }))
  const postJson = async <T>(path: string, body: unknown, timeoutMs?: number): Promise<T> => {
    const bytes = new TextEncoder().encode(JSON.stringify(body))
    return jsonOf<T>(
      await send({ method: 'POST', path, body: bytes, type: JSON_TYPE, ...(timeoutMs == null ? {} : { timeoutMs }) })
    )
  }
  return {
    status: async () => getJson<Status>('/v1/status'),
    ready: async () => getJson<Health>('/readyz'),
    relay: async ({ contract, method, args }) =>
      postJson<RelayAnswer>('/v1/relay', { contract, method, args: args.map(toRelayValue) }, SLOW_MS),
    publish: async (message, { replicas } = {}) =>
      jsonOf<MessageAnswer>(
        await send({
          method: 'POST',
          path: `/v1/messages${replicasIn(replicas)}`,
          body: message,
          type: 'application/cbor',
          ...(replicas == null ? {} : { timeoutMs: SLOW_MS })
        })
      ),
    queryEntries: async ({ authorization, after, limit }) => {
      const answer = await postJson<EntriesAnswer>('/v1/entries/query', {
        authorization: base64url.baseEncode(authorization),
        after,
        limit
      })
      return shaped(() => ({
        entries: answer.entries.map(entry => ({
          position: whole(entry.position),
          header: base64url.baseDecode(entry.header),
          slot: base64url.baseDecode(entry.slot),
          evidence: base64url.baseDecode(entry.evidence),
          blob: entry.blob == null ? null : base64url.baseDecode(entry.blob)
        })),
        next: answer.next == null ? null : whole(answer.next)
      }))
    },
    queryNotices: async ({ authorization, after, limit }) => {
      const query = { authorization: base64url.baseEncode(authorization), after, limit }
      const answer = await postJson<NoticesAnswer>('/v1/notices/query', query)
      return shaped(() => ({
        notices: answer.notices.map(({ position, kind, body }) => ({
          position: whole(position),
          kind,
          body: base64url.baseDecode(body)
        })),
        next: answer.next == null ? null : whole(answer.next)
      }))
    },
    queryHead: async ({ authorization, after, waitMs }) => {
      const query = { authorization: base64url.baseEncode(authorization), after, waitMs }
      const { head } = await postJson<HeadAnswer>('/v1/heads/query', query, SLOW_MS)
      return head == null ? null : { position: head.position, header: base64url.baseDecode(head.header) }
    },
    queryCapsules: async grantId => {
      const answer = await postJson<CapsulesAnswer>('/v1/capsules/query', { grantId })
      return shaped(() =>
        answer.capsules.map(({ position, capsule }) => ({
          position: whole(position),
          capsule: base64url.baseDecode(capsule)
        }))
      )
    },
    putBlob: async (cid, bytes, { replicas } = {}) => {
      const path = `/v1/blobs/${cid}${replicasIn(replicas)}`
      const call = { method: 'PUT', path, body: bytes, type: 'application/octet-stream' } as const
      await bytesIn(await send({ ...call, timeoutMs: SLOW_MS }), MAX_JSON_ANSWER_BYTES)
    },
    getBlob: async (cid, maxBytes = MAX_BLOB_BYTES) =>
      bytesIn(await send({ method: 'GET', path: `/ipfs/${cid}`, timeoutMs: SLOW_MS }), maxBytes),
    attestation: async digest =>
      bytesIn(await send({ method: 'GET', path: `/v1/erasures/${digest}` }), MAX_ATTESTATION_BYTES),
    grant: async grantId => getJson<GrantAnswer>(`/v1/grants/${grantId}`),
    gateway: async gatewayId => getJson<GatewayAnswer>(`/v1/gateways/${gatewayId}`),
    model: async modelId => getJson<ModelAnswer>(`/v1/models/${modelId}`)
  }
}

function toRelayValue(argument: RelayArgument): RelayValue {
  if (typeof argument === 'bigint') return argument.toString()
  if (argument instanceof Uint8Array) return toHex(argument)
  return typeof argument === 'object' ? argument.map(toRelayValue) : argument
}

/** Sends one call; throws as {@link NodeClient} says. */
export async function sendTo(init: NodeClientInit, call: Call): Promise<Response> {
  const limit = AbortSignal.timeout(init.timeoutMs ?? call.timeoutMs ?? 30_000)
  const signal = init.signal == null ? limit : AbortSignal.any([init.signal, limit])
  let response: Response
  try {
    response = await (init.fetch ?? fetch)(new URL(call.path, init.url), {
      method: call.method,
      signal,
      ...(call.body == null ? {} : { body: new Uint8Array(call.body) }),
      ...(call.type == null ? {} : { headers: { 'content-type': call.type } })
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

/** What an answer says, or the code for one that is not of this API. */
function shaped<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new SalusError('NODE_ANSWER', 'The node gave an answer of another shape; is this address a Salus node?', {
      cause
    })
  }
}

function whole(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError('no position')
}

async function jsonOf<T>(response: Response): Promise<T> {
  const bytes = await bytesIn(response, MAX_JSON_ANSWER_BYTES)
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch (cause) {
    throw new SalusError('NODE_ANSWER', 'The node gave an answer that is not JSON; is this address a Salus node?', {
      cause
    })
  }
}

async function problemOf(response: Response): Promise<SalusError> {
  const body: unknown = await jsonOf<unknown>(response).catch(() => undefined)
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown }
  return typeof code === 'string' && typeof detail === 'string'
    ? new SalusError(code, detail)
    : new SalusError('NODE_ANSWER', `The node answered ${String(response.status)} without saying why.`)
}

function replicasIn(replicas: number | undefined): string {
  return replicas == null ? '' : `?replicas=${String(replicas)}`
}
