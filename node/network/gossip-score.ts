import { createPeerScoreParams, createPeerScoreThresholds, createTopicScoreParams } from '@libp2p/gossipsub/score'
import type { GossipsubOpts } from '@libp2p/gossipsub'

/** Score below which a peer is cut off by the gater as well; gossipsub by itself forgets within minutes. */
export const BAN_SCORE = -40

/** Gossipsub's scoring: only invalid messages count, so that a quiet or slow peer is as good as any. */
export function gossipScore(topics: ReadonlySet<string>): Pick<GossipsubOpts, 'scoreParams' | 'scoreThresholds'> {
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
