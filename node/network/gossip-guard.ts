import { gossipsub, type GossipSub, type GossipsubOpts } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { PENALTY, type Bans } from '#node/network/bans.ts'
import { BAN_SCORE } from '#node/network/gossip-options.ts'
import type { RateLimiter } from '#node/network/rate-limiter.ts'

/** What the guard needs. */
export interface GossipGuard {
  readonly bans: Bans
  /** Frames and messages of a peer. */
  readonly frames: RateLimiter
  /** Bytes of a peer. */
  readonly bytes: RateLimiter
  readonly topics: ReadonlySet<string>
}

/** A frame as gossipsub reads it from its stream. */
interface Frame {
  readonly byteLength: number
  subarray(): Uint8Array
}

/** The parts of gossipsub 17.1.1 that are wrapped; it has no hook for them. `test/node/network/gossip.test.ts` keeps this true. */
interface GossipSubParts {
  getScore(peer: string): number
  decodeRpc(bytes: Uint8Array): { readonly messages: readonly { readonly topic: string }[] }
  pipePeerReadStream(peer: PeerId, frames: AsyncIterable<Frame>): Promise<void>
}

/**
 * Gossipsub that cuts off peers which flood or send garbage. Stock gossipsub drops frames that it cannot decode, and
 * messages of unknown topics, without a mark on whoever sent them, and reads on however fast they come.
 */
export function guardedGossipsub(guard: GossipGuard, init: Partial<GossipsubOpts>) {
  return (components: Parameters<ReturnType<typeof gossipsub>>[0]): GossipSub => {
    const service = gossipsub(init)(components)
    const parts = service as unknown as GossipSubParts
    const readStream = parts.pipePeerReadStream.bind(service)
    parts.pipePeerReadStream = (peer, frames) => readStream(peer, guarded(parts, guard, peer, frames))
    service.addEventListener('gossipsub:heartbeat', () => {
      for (const peer of service.getPeers()) {
        if (parts.getScore(peer.toString()) < BAN_SCORE) {
          guard.bans.penalise(peer.toString(), PENALTY.flood, 'GOSSIP_SCORE')
        }
      }
    })
    return service
  }
}

/** Passes on the frames of a peer until it is cut off. */
async function* guarded(
  parts: GossipSubParts,
  { bans, frames: frameRate, bytes: byteRate, topics }: GossipGuard,
  peer: PeerId,
  frames: AsyncIterable<Frame>
): AsyncGenerator<Frame> {
  const id = peer.toString()
  for await (const frame of frames) {
    if (bans.isBanned(id)) return
    let messages: readonly { readonly topic: string }[] = []
    try {
      messages = parts.decodeRpc(frame.subarray()).messages
    } catch {
      // What exactly was wrong is the sender's to know: it is counted, and the frame goes no further.
      bans.penalise(id, PENALTY.garbage, 'GOSSIP_FRAME_MALFORMED')
      continue
    }
    if (messages.some(({ topic }) => !topics.has(topic))) bans.penalise(id, PENALTY.garbage, 'GOSSIP_TOPIC_UNKNOWN')
    if (!frameRate.take(id, 1 + messages.length) || !byteRate.take(id, frame.byteLength)) {
      bans.penalise(id, PENALTY.flood, 'GOSSIP_FLOOD')
    }
    if (bans.isBanned(id)) return
    yield frame
  }
}
