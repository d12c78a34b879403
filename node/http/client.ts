/** Typed client of a node's HTTP API (docs/specs/http-api.md); what agents, scripts and the story speak to a node with. */
import { base64url } from 'multiformats/bases/base64'
import { toHex } from '#core/encoding/bytes.ts'
import { MAX_ATTESTATION_BYTES } from '#core/custody/attestation.ts'
import { SalusError } from '#core/error.ts'
import { callNode, type NodeClientInit } from '#node/http/client-call.ts'
import type {
  Gateway,
  Grant,
  Health,
  MessageAnswer,
  Model,
  RelayAnswer,
  RelayRequest,
  RelayValue,
  Status
} from '#node/http/client-types.ts'

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
  grant(grantId: string): Promise<Grant>
  gateway(gatewayId: string): Promise<Gateway>
  model(modelId: string): Promise<Model>
}

const SLOW_MS = 120_000
/** Blobs of more than an outbox takes. */
const MAX_BLOB_BYTES = 300 << 20

/** Makes a client; nothing is sent before the first call. */
export function createNodeClient(init: NodeClientInit): NodeClient {
  return {
    status: async () => callNode(init, 'GET /v1/status', {}),
    ready: async () => callNode(init, 'GET /readyz', {}),
    relay: async ({ contract, method, args }) => {
      const body = { contract, method, args: args.map(toRelayValue) }
      return callNode(init, 'POST /v1/relay', { body, timeoutMs: SLOW_MS })
    },
    publish: async (message, { replicas } = {}) =>
      callNode(init, 'POST /v1/messages', {
        query: queryOf(replicas),
        body: message,
        ...(replicas == null ? {} : { timeoutMs: SLOW_MS })
      }),
    queryEntries: async ({ authorization, after, limit }) => {
      const body = { authorization: base64url.baseEncode(authorization), after, limit }
      const answer = await callNode(init, 'POST /v1/entries/query', { body })
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
      const body = { authorization: base64url.baseEncode(authorization), after, limit }
      const answer = await callNode(init, 'POST /v1/notices/query', { body })
      return shaped(() => ({
        notices: answer.notices.map(notice => ({
          position: whole(notice.position),
          kind: notice.kind,
          body: base64url.baseDecode(notice.body)
        })),
        next: answer.next == null ? null : whole(answer.next)
      }))
    },
    queryHead: async ({ authorization, after, waitMs }) => {
      const body = { authorization: base64url.baseEncode(authorization), after, waitMs }
      const { head } = await callNode(init, 'POST /v1/heads/query', { body, timeoutMs: SLOW_MS })
      return head == null ? null : { position: head.position, header: base64url.baseDecode(head.header) }
    },
    queryCapsules: async grantId => {
      const answer = await callNode(init, 'POST /v1/capsules/query', { body: { grantId } })
      return shaped(() =>
        answer.capsules.map(({ position, capsule }) => ({
          position: whole(position),
          capsule: base64url.baseDecode(capsule)
        }))
      )
    },
    putBlob: async (cid, bytes, { replicas } = {}) => {
      const query = queryOf(replicas)
      await callNode(init, 'PUT /v1/blobs/{cid}', { path: { cid }, query, body: bytes, timeoutMs: SLOW_MS })
    },
    getBlob: async (cid, maxBytes = MAX_BLOB_BYTES) =>
      callNode(init, 'GET /ipfs/{cid}', { path: { cid }, query: {}, maxBytes, timeoutMs: SLOW_MS }),
    attestation: async id => callNode(init, 'GET /v1/erasures/{id}', { path: { id }, maxBytes: MAX_ATTESTATION_BYTES }),
    grant: async id => callNode(init, 'GET /v1/grants/{id}', { path: { id } }),
    gateway: async id => callNode(init, 'GET /v1/gateways/{id}', { path: { id } }),
    model: async id => callNode(init, 'GET /v1/models/{id}', { path: { id } })
  }
}

function toRelayValue(argument: RelayArgument): RelayValue {
  if (typeof argument === 'bigint') return argument.toString()
  if (argument instanceof Uint8Array) return toHex(argument)
  return typeof argument === 'object' ? argument.map(toRelayValue) : argument
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

function queryOf(replicas: number | undefined): { readonly replicas?: number } {
  return replicas == null ? {} : { replicas }
}
