import type { Libp2p, PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  decodeHaveAnswer,
  decodeHaveRequest,
  encodeHaveAnswer,
  encodeHaveRequest,
  MAX_HAVE_ANSWER_BYTES,
  MAX_HAVE_REQUEST_BYTES
} from '#core/network/have.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/have/1',
  maxRequestBytes: MAX_HAVE_REQUEST_BYTES,
  maxAnswerBytes: MAX_HAVE_ANSWER_BYTES,
  timeoutMs: 10_000
}

/** What the service needs besides what every answering protocol does. */
export interface HaveComponents extends AnswerComponents {
  /** The node's own store: asking it never asks the network. */
  readonly blockstore: { has(cid: CID): Promise<boolean> | boolean }
}

/** Tells peers which blocks are here. */
export interface HaveService {
  start(): Promise<void>
  stop(): Promise<void>
}

/** The `/salus/have/1` service of a node. */
export function createHaveService(components: HaveComponents): HaveService {
  const { blockstore } = components
  let unhandle: (() => Promise<void>) | undefined
  return {
    async start() {
      unhandle = await handleRequests(components, PROTOCOL, {
        decode: decodeHaveRequest,
        answer: async cids => encodeHaveAnswer(await Promise.all(cids.map(async cid => await blockstore.has(cid))))
      })
    },
    async stop() {
      await unhandle?.()
    }
  }
}

/**
 * Asks a peer which of some blocks (at most 256) it has.
 *
 * @throws SalusError `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER`; the `HAVE_*` codes
 */
export async function askHave(
  libp2p: Libp2p,
  peer: PeerId,
  cids: readonly CID[],
  options: { readonly signal?: AbortSignal } = {}
): Promise<boolean[]> {
  return decodeHaveAnswer(await request(libp2p, peer, PROTOCOL, encodeHaveRequest(cids), options), cids.length)
}
