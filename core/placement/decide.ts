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

/** What a node knows about a blob without asking anyone. */
export interface BlobFacts {
  /** First 64 bits of the digest in the blob's CID. */
  readonly seed: Seed
  /** Whether it is on this node's disk. */
  readonly here: boolean
  /** Whether something here needs it whatever the others do: a pin of the operator, a patient that named this node. */
  readonly bound: boolean
}

/** What a holder has found out about a blob. */
export interface HolderFacts {
  readonly seed: Seed
  /** Ids of other peers that just proved that they hold it. */
  readonly holders: ReadonlySet<string>
  /** Time since this node first found too few of them, ms; 0 where there are enough. */
  readonly missingMs: number
}

/** Whether a peer is of those on whose word a copy may go: listed by the registry, or of the operator's own choice. */
export type IsVouched = (id: string) => boolean

/** `none` does nothing; `fetch` brings it here; `audit` keeps it and asks the others for proofs now and then; `offer` asks, and then may drop it. */
export type Decision = 'fetch' | 'none' | 'audit' | 'offer'

/**
 * Decides about one blob.
 *
 * @param table - the peers that are alive and willing, this one with them if it is
 * @param me - id of this node
 */
export function decide(
  rules: PlacementRules,
  table: PeerTable,
  me: string,
  { seed, here, bound }: BlobFacts
): Decision {
  const mine = bound || isAmongFirst(table, seed, rules.replicas, me)
  if (mine) return here ? 'audit' : 'fetch'
  return here ? 'offer' : 'none'
}

/** Whom a holder asks for proofs: the first peers besides itself, and those who may have been called up for them. */
export function askedAbout(rules: PlacementRules, table: PeerTable, me: string, seed: Seed): string[] {
  return idsOf(table, seed, 2 * rules.replicas).filter(id => id !== me)
}

/** Who has the duty to hold a blob, besides this node: the first peers. They alone fail where they do not prove it. */
export function dutyOf(rules: PlacementRules, table: PeerTable, me: string, seed: Seed): string[] {
  return idsOf(table, seed, rules.replicas).filter(id => id !== me)
}

/**
 * Whether a node that is not among the first may drop what it offered: each of the first, and there are as many as there shall be
 * replicas, proved that it holds the blob, promised to keep it for a while, and is vouched for. Others do not count: they may be about
 * to ask the same, and peers that anyone can invent prove what they are shown.
 */
export function mayDrop(
  rules: PlacementRules,
  table: PeerTable,
  me: string,
  { seed, holders }: Pick<HolderFacts, 'seed' | 'holders'>,
  isVouched: IsVouched
): boolean {
  const first = idsOf(table, seed, rules.replicas)
  if (first.length < rules.replicas || first.includes(me)) return false
  return first.every(id => holders.has(id) && isVouched(id))
}

/**
 * Whom a holder calls up to hold a blob of which there are too few replicas. The first come by themselves, and have their time; then
 * the next rank is called, one more with each time that passes. A holder speaks the later the more holders come before it, so that
 * in most cases one speaks.
 */
export function calledUp(rules: PlacementRules, table: PeerTable, me: string, facts: HolderFacts): string[] {
  const { replicas, takeOverMs } = rules
  const { seed, holders, missingMs } = facts
  const order = idsOf(table, seed, 3 * replicas + 1)
  const holding = order.filter(id => id === me || holders.has(id))
  if (holding.length >= replicas) return []
  const before = Math.max(0, holding.indexOf(me))
  const ranks = Math.floor((missingMs - (before * takeOverMs) / replicas) / takeOverMs)
  if (ranks <= 0) return []
  return order.slice(replicas, replicas + ranks).filter(id => id !== me && !holders.has(id))
}

function idsOf(table: PeerTable, seed: Seed, count: number): string[] {
  return orderOf(table, seed, count).map(peer => table.peers[peer]?.id ?? '')
}
