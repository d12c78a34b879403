/** The JSON bodies of the HTTP API (docs/specs/http-api.md): the same schemas validate, document and type them. */
import { z } from '@hono/zod-openapi'
import { REQUEST_CONTRACTS } from '#core/chain/contract-names.ts'
import { MAX_READ_REQUEST_BYTES } from '#core/grant/read-request.ts'

/** Largest body of `POST /v1/messages`, bytes. */
export const MAX_MESSAGE_BODY_BYTES: number = 64 * 1024

/** Largest JSON body, bytes. */
export const MAX_JSON_BODY_BYTES: number = 128 * 1024

/** Most items in one page of an answer. */
export const MAX_PAGE_ITEMS: number = 1000

const bytes32 = z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 32 bytes as 0x and lower-case hexadecimal')
const address = z.string().regex(/^0x[0-9a-f]{40}$/, 'expected an address as 0x and lower-case hexadecimal')
const base64url = (maxBytes: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/, 'expected base64url without padding')
    .max(Math.ceil((maxBytes * 4) / 3))
const position = z.int().min(0)

/** A 32-byte id in a path. */
export const idParam = z.strictObject({ id: bytes32 })

/** A content identifier in a path. */
export const cidParam = z.strictObject({
  cid: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9]+$/, 'expected a content identifier')
})

/** What a node says about itself. */
export const statusBody = z
  .strictObject({
    version: z.string(),
    peerId: z.string(),
    multiaddrs: z.array(z.string()),
    networkId: bytes32,
    peers: z.int(),
    messages: z.int(),
    blobsWanted: z.int(),
    relays: z.boolean(),
    chain: z.strictObject({
      chainId: z.int(),
      state: z.enum(['starting', 'following', 'catching-up', 'waiting']),
      blockNumber: z.int(),
      blockTimeS: z.int(),
      headNumber: z.int()
    })
  })
  .openapi('Status')

/** Liveness and readiness. */
export const healthBody = z.strictObject({ ok: z.boolean(), waitingFor: z.array(z.string()) }).openapi('Health')

/** The fixed shape of a Solidity value in JSON: whole numbers as decimal text or safe integers, bytes as hexadecimal. */
type RelayValue = string | number | boolean | RelayValue[]
const relayValue: z.ZodType<RelayValue> = z
  .lazy(() => z.union([z.string().max(16_384), z.int(), z.boolean(), z.array(relayValue).max(64)]))
  .openapi('RelayValue', {
    type: ['string', 'integer', 'boolean', 'array'],
    items: { $ref: '#/components/schemas/RelayValue' },
    description: 'text, whole number, boolean or a list of these'
  })

/** A signed request for a contract, to be sent by the node's relayer. */
export const relayRequest = z
  .strictObject({
    contract: z.enum(REQUEST_CONTRACTS),
    method: z.string().max(64),
    args: z.array(relayValue).max(16)
  })
  .openapi('RelayRequest')

/** Where a relayed request stands: `already` if an equal request had been applied before. */
export const relayAnswer = z
  .strictObject({
    status: z.enum(['applied', 'already']),
    txHash: bytes32.nullable(),
    blockNumber: z.int()
  })
  .openapi('RelayAnswer')

/** A message is stored durably: its position in this node's log. */
export const messageAnswer = z
  .strictObject({ status: z.enum(['stored', 'known']), position, heldBy: z.array(z.string()).max(16).optional() })
  .openapi('MessageAnswer')

/** On how many nodes' disks something is to be before it is acknowledged; see docs/specs/http-api.md. */
export const replicasQuery = z.strictObject({ replicas: z.coerce.number().int().min(1).max(16).optional() })

/** Asks for a patient's entries after a position, oldest first; the signed read request says who asks for whose. */
export const entriesQuery = z
  .strictObject({
    authorization: base64url(MAX_READ_REQUEST_BYTES),
    after: position.optional(),
    limit: z.int().min(1).max(MAX_PAGE_ITEMS).optional()
  })
  .openapi('EntriesQuery')

/** Longest time for which a question for a head waits for a newer one, ms. */
export const MAX_HEAD_WAIT_MS = 25_000

/** Asks for the newest entry of a record; waits for one after a position, if told to. */
export const headQuery = z
  .strictObject({
    authorization: base64url(MAX_READ_REQUEST_BYTES),
    after: position.optional(),
    waitMs: z.int().min(0).max(MAX_HEAD_WAIT_MS).optional()
  })
  .openapi('HeadQuery')

/** The newest entry: its place here and its signed header, without what opens it; null of an empty record. */
export const headAnswer = z
  .strictObject({ head: z.strictObject({ position, header: base64url(8192) }).nullable() })
  .openapi('HeadAnswer')

/** A page of entries; `next` is null on the last page. */
export const entriesAnswer = z
  .strictObject({
    entries: z.array(
      z.strictObject({
        position,
        header: base64url(8192),
        slot: base64url(2048),
        evidence: base64url(8192),
        blob: base64url(32_768).nullable()
      })
    ),
    next: position.nullable()
  })
  .openapi('EntriesAnswer')

/** A page of what a patient's record says beside entries: erasures, and records of emergencies without a network. */
export const noticesAnswer = z
  .strictObject({
    notices: z.array(
      z.strictObject({ position, kind: z.enum(['erasure', 'glass', 'rotation']), body: base64url(32_768) })
    ),
    next: position.nullable()
  })
  .openapi('NoticesAnswer')

/** Asks for the newest capsule of one grant; a capsule opens for its grantee only. */
export const capsulesQuery = z.strictObject({ grantId: bytes32 }).openapi('CapsulesQuery')

/** The newest capsule of the grant, or none yet. */
export const capsulesAnswer = z
  .strictObject({ capsules: z.array(z.strictObject({ position, capsule: base64url(65_536) })) })
  .openapi('CapsulesAnswer')

/** A blob is stored durably. */
export const blobAnswer = z
  .strictObject({ sizeBytes: z.int(), heldBy: z.array(z.string()).max(16).optional() })
  .openapi('BlobAnswer')

/** A grant as the chain has it. */
export const grantAnswer = z
  .strictObject({
    grant: bytes32,
    grantee: address,
    notBeforeS: z.int(),
    expiresAtS: z.int().nullable(),
    rights: z.array(z.enum(['read', 'write', 'history'])),
    usesLeft: z.int().nullable(),
    state: z.enum(['live', 'not-yet', 'expired', 'spent', 'revoked'])
  })
  .openapi('Grant')

/** A gateway as the chain has it. */
export const gatewayAnswer = z
  .strictObject({
    gateway: bytes32,
    certificate: bytes32,
    sequence: z.int(),
    treeSize: z.int(),
    root: bytes32.nullable(),
    isRetired: z.boolean()
  })
  .openapi('Gateway')

/** A device model as the chain has it, with its releases. */
export const modelAnswer = z
  .strictObject({
    model: bytes32,
    manufacturer: bytes32,
    latest: z.int(),
    active: z.int(),
    staged: z.int(),
    rolloutBps: z.int(),
    minimum: z.int(),
    releases: z.array(
      z.strictObject({
        sequence: z.int(),
        securityCounter: z.int(),
        sizeBytes: z.int(),
        imageSha256: bytes32,
        manifestDigest: bytes32,
        held: z.boolean(),
        yanked: z.boolean()
      })
    )
  })
  .openapi('Model')

/** RFC 9457 problem with a stable `code` (docs/errors.md). */
export const problemBody = z
  .strictObject({ type: z.string(), title: z.string(), status: z.int(), code: z.string(), detail: z.string() })
  .openapi('Problem')

/** See {@link statusBody}. */
export type Status = z.infer<typeof statusBody>
/** See {@link grantAnswer}. */
export type GrantAnswer = z.infer<typeof grantAnswer>
/** See {@link gatewayAnswer}. */
export type GatewayAnswer = z.infer<typeof gatewayAnswer>
/** See {@link modelAnswer}. */
export type ModelAnswer = z.infer<typeof modelAnswer>
/** See {@link entriesAnswer}. */
export type EntriesAnswer = z.infer<typeof entriesAnswer>
/** See {@link headAnswer}. */
export type HeadAnswer = z.infer<typeof headAnswer>
/** See {@link noticesAnswer}. */
export type NoticesAnswer = z.infer<typeof noticesAnswer>
/** See {@link capsulesAnswer}. */
export type CapsulesAnswer = z.infer<typeof capsulesAnswer>
