/** What a follower tells of itself, as plain data: for people and metrics. */
import type { EndpointStatus } from '#node/chain/endpoint-health.ts'

/** Counts since the start. */
export interface FollowerCounters {
  blocks: number
  events: number
  reorganisations: number
  blocksTakenBack: number
  /** Blocks of the deepest re-organisation. */
  deepestReorganisation: number
  /** How often the index was built anew. */
  rebuilds: number
  /** How often endpoints had different blocks under one number. */
  disputes: number
  /** How often an endpoint was caught at what cannot be so. */
  lies: number
}

/** Where the follower stands. */
export interface FollowerStatus {
  readonly state: 'starting' | 'following' | 'catching-up' | 'waiting'
  readonly blockNumber: number
  /** Newest block that the endpoint spoke of. */
  readonly headNumber: number
  /** Newest blocks that the chain calls safe and final; `null` where it does not say. */
  readonly safeNumber: number | null
  readonly finalizedNumber: number | null
  /** Code of the error because of which it waits. */
  readonly code: string | null
  readonly counters: Readonly<FollowerCounters>
  readonly endpoints: readonly EndpointStatus[]
}

/** Counts at the start. */
export function noCounts(): FollowerCounters {
  return {
    ...{ blocks: 0, events: 0, reorganisations: 0, blocksTakenBack: 0 },
    ...{ deepestReorganisation: 0, rebuilds: 0, disputes: 0, lies: 0 }
  }
}
