/** Client of a custodian's HTTP routes (docs/specs/custody.md, docs/specs/receipts.md). */
import type { LogSource } from '#core/receipts/collect.ts'
import { tilePath } from '#core/receipts/tiles.ts'
import { sendTo, type NodeClientInit } from '#node/http/client.ts'

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

/** Makes a client; nothing is sent before the first call. */
export function createCustodyClient(init: NodeClientInit): CustodyClient {
  const get = async (path: string): Promise<Uint8Array> =>
    new Uint8Array(await (await sendTo(init, { method: 'GET', path })).arrayBuffer())
  const post = async (path: string, body: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await (await sendTo(init, { method: 'POST', path, body, type: CBOR })).arrayBuffer())
  return {
    card: async () => get('/v1/custody/card'),
    keep: async share => post('/v1/custody/shares', share),
    release: async request => post('/v1/custody/releases', request),
    checkpoint: async () => new TextDecoder().decode(await get('/v1/receipts/checkpoint')),
    tile: async name => get(`/v1/receipts/${tilePath(name)}`)
  }
}
