import { createHash } from 'node:crypto'
import { createPeerScoreParams, createPeerScoreThresholds, createTopicScoreParams } from '@libp2p/gossipsub/score'
import type { GossipsubOpts } from '@libp2p/gossipsub'

/** Most bytes of one gossip frame: gossipsub answers a request for missed messages with all of them in one frame. */
const MAX_FRAME_BYTES = 4 << 20

/** Score below which a peer is cut off by the gater as well; gossipsub by itself forgets within minutes. */
export const BAN_SCORE = -40

/** How gossipsub is set up for some topics. */
export function gossipOptions(topics: ReadonlySet<string>): Partial<GossipsubOpts> {
  return {
    allowedTopics: new Set(topics),
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    maxInboundDataLength: MAX_FRAME_BYTES,
    maxOutboundBufferSize: 16 << 20,
    // Telling peers not to send pays off for large messages only.
    idontwantMinDataSize: 16 * 1024,
    // Without it every duplicate's signature is verified before it is found to be one.
    fastMsgIdFn: ({ from, seqno, data, signature, topic }) => {
      const hash = createHash('sha256').update(topic)
      for (const part of [from, seqno, data, signature]) {
        hash.update(`${String(part?.length ?? -1)}:`)
        if (part != null) hash.update(part)
      }
      return hash.digest('base64')
    },
    ...gossipScore(topics)
  }
}

/** Gossipsub's scoring: only invalid messages count, so that a quiet or slow peer is as good as any. */
function gossipScore(topics: ReadonlySet<string>): Pick<GossipsubOpts, 'scoreParams' | 'scoreThresholds'> {
  const topic = createTopicScoreParams({
    topicWeight: 1,
    timeInMeshWeight: 0,
    firstMessageDeliveriesWeight: 0,
    meshMessageDeliveriesWeight: 0,
    meshFailurePenaltyWeight: 0,
    // The square of the count: five invalid messages within a minute are too many.
    invalidMessageDeliveriesWeight: -2,
    invalidMessageDeliveriesDecay: 0.99
  })
  return {
    scoreParams: createPeerScoreParams({
      topics: Object.fromEntries([...topics].map(name => [name, topic])),
      // Many nodes of one organisation share an address.
      IPColocationFactorWeight: 0
    }),
    scoreThresholds: createPeerScoreThresholds({
      gossipThreshold: -10,
      publishThreshold: -20,
      graylistThreshold: BAN_SCORE
    })
  }
}
