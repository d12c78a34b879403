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

/**
 * Gossipsub's scoring (docs/decisions/0035-gossip-and-anti-entropy.md). What counts against a peer is what it can help: invalid messages, and
 * broken promises beyond what a busy machine breaks. Quiet and slow peers are as good as any, since most topics are silent for hours.
 */
function gossipScore(topics: ReadonlySet<string>): Pick<GossipsubOpts, 'scoreParams' | 'scoreThresholds'> {
  const topic = createTopicScoreParams({
    topicWeight: 1,
    timeInMeshWeight: 0,
    // P2: whoever brings messages first is kept before strangers that bring none; decays to a half in an hour.
    firstMessageDeliveriesWeight: 0.1,
    firstMessageDeliveriesDecay: 0.9998,
    firstMessageDeliveriesCap: 50,
    // P3: a topic that is silent would make every peer look lazy.
    meshMessageDeliveriesWeight: 0,
    meshFailurePenaltyWeight: 0,
    // P4, the square of the count: five invalid messages within a minute are too many, whatever was delivered before.
    invalidMessageDeliveriesWeight: -2,
    invalidMessageDeliveriesDecay: 0.99
  })
  return {
    scoreParams: createPeerScoreParams({
      topics: Object.fromEntries([...topics].map(name => [name, topic])),
      topicScoreCap: 5,
      // P6: many nodes of one organisation share an address.
      IPColocationFactorWeight: 0,
      // P7: a peer on a busy machine, or one that was killed and came back, breaks a few promises at once.
      behaviourPenaltyWeight: -1,
      behaviourPenaltyThreshold: 10,
      behaviourPenaltyDecay: 0.9
    }),
    scoreThresholds: createPeerScoreThresholds({
      gossipThreshold: -10,
      publishThreshold: -20,
      graylistThreshold: BAN_SCORE,
      // A mesh whose median peer brings nothing takes in others that do.
      opportunisticGraftThreshold: 1
    })
  }
}
