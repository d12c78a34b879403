/** Client of a custodian's HTTP routes (docs/specs/custody.md, docs/specs/receipts.md). */
import { MAX_SHARE_CONFIRMATION_BYTES } from '#core/custody/confirmation.ts'
import { MAX_CUSTODIAN_CARD_BYTES } from '#core/custody/custodian-card.ts'
import { MAX_CUSTODY_ANSWER_BYTES } from '#core/custody/release-request.ts'
import { MAX_CHECKPOINT_LENGTH } from '#core/tlog/checkpoint.ts'
import type { LogSource } from '#core/receipts/collect.ts'
import { TILE_WIDTH, tilePath } from '#core/receipts/tiles.ts'
import { bytesIn } from '#node/http/answer.ts'
import { sendTo, type NodeClientInit } from '#node/http/client-call.ts'

/** Every call throws SalusError with the code of the node's problem, or `NODE_UNREACHABLE`, `NODE_TIMEOUT`. */
export interface CustodyClient extends LogSource {
  /** Encoded card (core/custody/custodian-card.ts). */
  card(): Promise<Uint8Array>
  /** Hands in a sealed share; resolves with the confirmation once it is stored durably. */
  keep(share: Uint8Array): Promise<Uint8Array>
  /** Asks for a share; takes and gives encoded requests and answers (core/custody/release-request.ts). */
  release(request: Uint8Array): Promise<Uint8Array>
}

const CBOR = 'application/cbor'
/** A bundle has entries of at most 65,535 bytes, each behind two of length. */
const MAX_TILE_BYTES = TILE_WIDTH * 65_537

/** Makes a client; nothing is sent before the first call. */
export function createCustodyClient(init: NodeClientInit): CustodyClient {
  const get = async (path: string, maxBytes: number): Promise<Uint8Array> =>
    bytesIn(await sendTo(init, { method: 'GET', path }), maxBytes)
  const post = async (path: string, body: Uint8Array, maxBytes: number): Promise<Uint8Array> =>
    bytesIn(await sendTo(init, { method: 'POST', path, body, type: CBOR }), maxBytes)
  return {
    card: async () => get('/v1/custody/card', MAX_CUSTODIAN_CARD_BYTES),
    keep: async share => post('/v1/custody/shares', share, MAX_SHARE_CONFIRMATION_BYTES),
    release: async request => post('/v1/custody/releases', request, MAX_CUSTODY_ANSWER_BYTES),
    checkpoint: async () => new TextDecoder().decode(await get('/v1/receipts/checkpoint', 4 * MAX_CHECKPOINT_LENGTH)),
    tile: async name => get(`/v1/receipts/${tilePath(name)}`, MAX_TILE_BYTES)
  }
}
