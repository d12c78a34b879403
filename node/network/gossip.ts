import { TopicValidatorResult, type GossipSub, type Message } from '@libp2p/gossipsub'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { SalusError } from '#core/error.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { MAX_MESSAGE_BYTES } from '#core/network/envelope.ts'
import { allTopics, topicOf } from '#core/network/topic.ts'
import type { RateLimiter } from '#node/network/rate-limiter.ts'
import type { Log } from '#node/log.ts'
import type { Accept, Verdict } from '#node/network/accept.ts'
import { PENALTY, type Bans } from '#node/network/bans.ts'

/** Sends messages to all peers of a network and hands incoming ones to whoever judges them. */
export interface Gossip {
  start(): void
  stop(): void
  /**
   * Sends a message to everyone. Returns how many peers it went to directly; none is no error, for sync brings it later.
   *
   * @param patient - the patient whose topic it takes, 32 bytes
   * @throws SalusError `MESSAGE_OVERSIZE`
   */
  publish(bytes: Uint8Array, patient: Uint8Array): Promise<number>
}

/** What gossip needs. */
export interface GossipComponents {
  readonly libp2p: Libp2p<{ pubsub: GossipSub }>
  readonly primitives: Pick<Primitives, 'hmacSha256'>
  readonly bans: Bans
  readonly log: Log
  readonly accept: Accept
  /** Messages of a peer that are known or not wanted; more than it allows counts against the peer. */
  readonly useless: RateLimiter
}

/** What gossip is told. */
export interface GossipInit {
  /** Network identifier, 32 bytes. */
  readonly networkId: Uint8Array
  /** Most messages of one peer that are being judged at a time, 64 unless told; more are ignored, sync brings them. */
  readonly maxInFlight?: number
}

const RESULT = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
} as const satisfies Record<Verdict['verdict'], TopicValidatorResult>

/** Gossip over a host whose topics are those of the network. */
export function createGossip(components: GossipComponents, { networkId, maxInFlight = 64 }: GossipInit): Gossip {
  const { libp2p, primitives, bans, log, accept, useless } = components
  const { pubsub } = libp2p.services
  const topics = allTopics(networkId)
  const inFlight = new Map<string, number>()

  /** As docs/specs/topics.md says: accept passes on, ignore drops, reject drops and counts against the peer it came from. */
  async function validate(peer: PeerId, { topic, data }: Message): Promise<TopicValidatorResult> {
    const from = peer.toString()
    // [IGNORE] The peer is not cut off.
    if (bans.isBanned(from)) return TopicValidatorResult.Ignore
    const count = inFlight.get(from) ?? 0
    // [IGNORE] Not more of its messages are being judged than may be.
    if (count >= maxInFlight) return TopicValidatorResult.Ignore
    inFlight.set(from, count + 1)
    try {
      const verdict = await judge(data, from, topic)
      if (verdict.verdict === 'reject') bans.penalise(from, PENALTY.garbage, verdict.code ?? 'MESSAGE_REJECTED')
      // Old messages sent again cost a lookup each, also after a restart; an honest peer passes each on once.
      const isUseless = verdict.verdict === 'ignore' && verdict.retry !== true
      if (isUseless && !useless.take(from)) bans.penalise(from, PENALTY.garbage, 'GOSSIP_USELESS')
      return RESULT[verdict.verdict]
    } finally {
      const left = (inFlight.get(from) ?? 1) - 1
      if (left > 0) inFlight.set(from, left)
      else inFlight.delete(from)
    }
  }

  async function judge(bytes: Uint8Array, from: string, topic: string): Promise<Verdict> {
    // [REJECT] The message is not larger than an envelope may be.
    if (bytes.length > MAX_MESSAGE_BYTES) return { verdict: 'reject', code: 'MESSAGE_OVERSIZE' }
    try {
      return await accept(bytes, from, topic)
    } catch (error) {
      // Our own trouble, such as a full disk, is not the sender's fault.
      log.error({ err: error }, 'a message could not be judged')
      return { verdict: 'ignore', retry: true }
    }
  }

  return {
    start() {
      for (const topic of topics) {
        pubsub.topicValidators.set(topic, validate)
        pubsub.subscribe(topic)
      }
    },
    stop() {
      for (const topic of topics) {
        pubsub.unsubscribe(topic)
        pubsub.topicValidators.delete(topic)
      }
    },
    async publish(bytes, patient) {
      if (bytes.length > MAX_MESSAGE_BYTES) {
        throw new SalusError('MESSAGE_OVERSIZE', 'The message is too large for gossip; send the blob by CID.')
      }
      const { recipients } = await pubsub.publish(topicOf(primitives, networkId, patient), bytes)
      return recipients.length
    }
  }
}
