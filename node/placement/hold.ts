/** Takes over replicas that others miss, and asks others to (docs/specs/placement.md). */
import { peerIdFromString } from '@libp2p/peer-id'
import type { Libp2p } from '@libp2p/interface'
import {
  decodeHoldAnswer,
  decodeHoldRequest,
  encodeHoldAnswer,
  encodeHoldRequest,
  MAX_HOLD_ANSWER_BYTES,
  MAX_HOLD_REQUEST_BYTES
} from '#core/placement/hold.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/hold/1',
  maxRequestBytes: MAX_HOLD_REQUEST_BYTES,
  maxAnswerBytes: MAX_HOLD_ANSWER_BYTES,
  timeoutMs: 10_000
}

/** What taking over needs. */
export interface HoldComponents extends AnswerComponents {
  /** Whether a peer may ask: one that pledged itself. */
  readonly isMember: (peer: string) => boolean
  /** Begins to bring a blob here; false where it is not named by any entry, or there is no room. */
  readonly take: (blob: AskedBlob) => Promise<boolean>
}

/** Takes over. */
export interface HoldService {
  start(): Promise<void>
  stop(): Promise<void>
}

/** The `/salus/hold/1` service of a node. */
export function createHoldService(components: HoldComponents): HoldService {
  const { isMember, take } = components
  let unhandle: (() => Promise<void>) | undefined
  return {
    async start() {
      unhandle = await handleRequests(components, PROTOCOL, {
        decode: decodeHoldRequest,
        answer: async (blobs, from) => {
          const taken: boolean[] = []
          for (const blob of blobs) taken.push(isMember(from.toString()) && (await take(blob)))
          return encodeHoldAnswer(taken)
        }
      })
    },
    async stop() {
      await unhandle?.()
    }
  }
}

/**
 * Asks a peer to hold blobs, at most 32. Returns which of them it takes; it has none of them yet.
 *
 * @throws SalusError `PEER_UNREACHABLE`, `PEER_PROTOCOL_UNKNOWN`, `PEER_NO_ANSWER`; the `HOLD_*` codes
 */
export async function askHold(
  libp2p: Libp2p,
  peer: string,
  blobs: readonly AskedBlob[],
  options: { readonly signal?: AbortSignal } = {}
): Promise<boolean[]> {
  const bytes = await request(libp2p, peerIdFromString(peer), PROTOCOL, encodeHoldRequest(blobs), options)
  return decodeHoldAnswer(bytes, blobs.length)
}
