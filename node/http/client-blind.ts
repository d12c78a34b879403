/** Client of a node's blind index (docs/specs/blind-index.md). */
import {
  decodeBlindAnswer,
  encodeBlindQuery,
  encodeBlindUpload,
  type BlindQuery,
  type BlindUpload
} from '#core/search/blind-call.ts'
import { sendTo, type NodeClientInit } from '#node/http/client-call.ts'

/** Every call throws SalusError with the code of the node's problem, or `NODE_UNREACHABLE`, `NODE_TIMEOUT`, `BLIND_CALL_*`. */
export interface BlindClient {
  /** Hands lists in; resolves once they are stored durably. */
  put(upload: BlindUpload): Promise<void>
  /** Lists in the order of the tags, null where the node has none. What they say is for the caller to check. */
  ask(query: BlindQuery): Promise<(Uint8Array | null)[]>
}

const CALL = { method: 'POST', type: 'application/cbor' } as const

/** Makes a client; nothing is sent before the first call. */
export function createBlindClient(init: NodeClientInit): BlindClient {
  return {
    async put(upload) {
      await sendTo(init, { ...CALL, path: '/v1/blind/lists', body: encodeBlindUpload(upload) })
    },
    async ask(query) {
      const answer = await sendTo(init, { ...CALL, path: '/v1/blind/query', body: encodeBlindQuery(query) })
      return decodeBlindAnswer(new Uint8Array(await answer.arrayBuffer()))
    }
  }
}
