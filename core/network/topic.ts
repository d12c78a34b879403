/**
 * Gossip topics (docs/specs/topics.md, vectors in test/vectors/topics.json): 64 buckets by keyed hash, so that a topic says
 * nothing about whose records travel on it and a patient's messages always take the same one.
 */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'

/** Number of topics of a network; a power of two. */
export const TOPIC_BUCKETS = 64

/**
 * The topic of a patient's messages.
 *
 * @param network - network identifier, 32 bytes
 * @param patient - patient pseudonym, 32 bytes
 */
export function topicOf(p: Pick<Primitives, 'hmacSha256'>, network: Uint8Array, patient: Uint8Array): string {
  const [first = 0] = p.hmacSha256(network, patient)
  return topicName(network, first % TOPIC_BUCKETS)
}

/** All topics of a network, bucket 0 first; a full node subscribes to each. */
export function allTopics(network: Uint8Array): string[] {
  return Array.from({ length: TOPIC_BUCKETS }, (_, bucket) => topicName(network, bucket))
}

/** `/salus/1/<first 8 hex digits of the network>/<bucket>`. */
function topicName(network: Uint8Array, bucket: number): string {
  return `/salus/1/${toHex(network.subarray(0, 4)).slice(2)}/${String(bucket)}`
}
