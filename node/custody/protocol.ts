/** `/salus/custody/1`: the same requests as over HTTP, between peers (docs/specs/custody.md). */
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { decodeCustodyCall, decodeCustodyReply, encodeCustodyCall, encodeCustodyReply } from '#core/custody/call.ts'
import { MAX_CUSTODY_CALL_BYTES, MAX_CUSTODY_REPLY_BYTES, type CustodyCall } from '#core/custody/call.ts'
import { SalusError, isSalusError } from '#core/error.ts'
import type { Custodian } from '#node/custody/custodian.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/custody/1',
  maxRequestBytes: MAX_CUSTODY_CALL_BYTES,
  maxAnswerBytes: MAX_CUSTODY_REPLY_BYTES,
  timeoutMs: 20_000
}

/** Answers peers until the returned function is called. */
export async function serveCustody(
  components: AnswerComponents,
  { custodian, card }: { readonly custodian: Custodian; readonly card: Uint8Array }
): Promise<() => Promise<void>> {
  async function answer({ ask, body }: CustodyCall): Promise<Uint8Array> {
    if (ask === 'card') return card
    return ask === 'keep' ? await custodian.keep(body) : await custodian.release(body)
  }
  return await handleRequests(components, PROTOCOL, {
    decode: decodeCustodyCall,
    answer: async call => {
      try {
        return encodeCustodyReply({ code: null, body: await answer(call) })
      } catch (error) {
        if (!isSalusError(error)) throw error
        return encodeCustodyReply({ code: error.code, body: null })
      }
    }
  })
}

/**
 * Asks a peer that is a custodian.
 *
 * @throws SalusError the code that the custodian refused it with; `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER`; the
 * `CUSTODY_REPLY_*` codes where the answer is not one
 */
export async function askCustodian(
  libp2p: Libp2p,
  peer: PeerId | Multiaddr,
  call: CustodyCall,
  options: { readonly signal?: AbortSignal } = {}
): Promise<Uint8Array> {
  const { code, body } = decodeCustodyReply(await request(libp2p, peer, PROTOCOL, encodeCustodyCall(call), options))
  if (body == null)
    throw new SalusError(code ?? 'CUSTODY_REPLY_SHAPE', 'The custodian refused; docs/errors.md explains the code.')
  return body
}
