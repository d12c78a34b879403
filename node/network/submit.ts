import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { SalusError } from '#core/error.ts'
import { MAX_MESSAGE_BYTES } from '#core/network/envelope.ts'
import { decodeSubmitAnswer, encodeSubmitAnswer, MAX_SUBMIT_ANSWER_BYTES } from '#core/network/submit.ts'
import type { Accept } from '#node/network/accept.ts'
import { PENALTY } from '#node/network/bans.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/submit/1',
  maxRequestBytes: MAX_MESSAGE_BYTES,
  maxAnswerBytes: MAX_SUBMIT_ANSWER_BYTES,
  timeoutMs: 20_000
}

/** What the service needs besides what every answering protocol does. */
export interface SubmitComponents extends AnswerComponents {
  readonly accept: Accept
}

/** Answers submitted messages, after they are on the disk. */
export interface SubmitService {
  start(): Promise<void>
  stop(): Promise<void>
}

/** The `/salus/submit/1` service of a node. */
export function createSubmitService(components: SubmitComponents): SubmitService {
  const { accept, bans } = components
  let unhandle: (() => Promise<void>) | undefined
  return {
    async start() {
      unhandle = await handleRequests(components, PROTOCOL, {
        // The message is read by whoever judges it, once.
        decode: bytes => bytes,
        answer: async (message, from) => {
          const { verdict, code } = await accept(message, from.toString())
          if (verdict === 'accept') return encodeSubmitAnswer({ code: null })
          if (verdict === 'ignore') return encodeSubmitAnswer({ code: code ?? 'MESSAGE_IGNORED' })
          bans.penalise(from.toString(), PENALTY.garbage, code ?? 'MESSAGE_REJECTED')
          return encodeSubmitAnswer({ code: code ?? 'MESSAGE_REJECTED' })
        }
      })
    },
    async stop() {
      await unhandle?.()
    }
  }
}

/**
 * Hands a message to a peer; resolves when the peer has it on its disk.
 *
 * @throws SalusError the code that the peer refused it with; `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`,
 * `PEER_NO_ANSWER`; the `SUBMIT_*` codes where the answer is not one
 */
export async function submit(
  libp2p: Libp2p,
  peer: PeerId | Multiaddr,
  message: Uint8Array,
  options: { readonly signal?: AbortSignal } = {}
): Promise<void> {
  const { code } = decodeSubmitAnswer(await request(libp2p, peer, PROTOCOL, message, options))
  if (code != null) throw new SalusError(code, 'The peer refused the message; docs/errors.md explains the code.')
}
