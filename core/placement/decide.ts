/** What a node does about one blob: keep it, fetch it, or ask others whether it may drop it (docs/specs/placement.md). */
import { isAmongFirst, orderOf } from '#core/placement/order.ts'
import type { PeerTable, Seed } from '#core/placement/rendezvous.ts'

/** The rules of a network; the same at every node, or replicas are moved to and fro. */
export interface PlacementRules {
  /** Replicas of each blob, besides those at named nodes. */
  readonly replicas: number
  /** Time that each rank has before the next one is called up, ms. */
  readonly takeOverMs: number
}

/** What a node knows about a blob. */
export interface BlobFacts {
  /** First 64 bits of the digest in the blob's CID. */
  readonly seed: Seed
  /** Whether it is on this node's disk, whole. */
  readonly here: boolean
  /** Whether something here needs it whatever the others do: a pin of the operator, a node that the patient named. */
  readonly bound: boolean
  /** Ids of other peers that proved lately that they hold it. */
  readonly holders: ReadonlySet<string>
  /** Time since this node first found too few holders, ms; 0 where there are enough. */
  readonly missingMs: number
}

/** `keep` and `none` change nothing; `fetch` brings it here; `offer` asks the first peers for proofs, and drops it where enough give one. */
export type Decision = 'keep' | 'fetch' | 'none' | 'offer'

/**
 * Decides about one blob.
 *
 * @param table - the peers that are alive and willing, this one with them if it is
 * @param me - id of this node
 */
export function decide(rules: PlacementRules, table: PeerTable, me: string, facts: BlobFacts): Decision {
  const { seed, here, bound, holders, missingMs } = facts
  const { replicas, takeOverMs } = rules
  if (bound || isAmongFirst(table, seed, replicas, me)) return here ? 'keep' : 'fetch'
  if (heldByFirst(rules, table, facts) >= Math.min(replicas, table.peers.length)) return here ? 'offer' : 'none'
  if (here) return 'keep'
  if (holders.size >= replicas) return 'none'
  // Whoever comes first has its time; then the next rank takes over, one more with each time that passes.
  const calledUp = Math.floor(missingMs / takeOverMs)
  return calledUp > 0 && isAmongFirst(table, seed, replicas + calledUp, me) ? 'fetch' : 'none'
}

/** How many of the first peers proved that they hold the blob: others may drop it, and do not count for who asks to. */
export function heldByFirst(
  { replicas }: Pick<PlacementRules, 'replicas'>,
  table: PeerTable,
  { seed, holders }: Pick<BlobFacts, 'seed' | 'holders'>
): number {
  return orderOf(table, seed, replicas).filter(peer => holders.has(table.peers[peer]?.id ?? '')).length
}

/** Whom to ask about a blob: those who should hold it, and as many again who may have taken over. */
export function askedAbout(rules: PlacementRules, table: PeerTable, me: string, seed: Seed): string[] {
  const order = orderOf(table, seed, 2 * rules.replicas + 1)
  return order.map(peer => table.peers[peer]?.id ?? '').filter(id => id !== me && id !== '')
}
