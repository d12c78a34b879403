/** What a device is told about its model by the chain: believed only as far as `verify.ts` can check it. */
import type { Hex } from '#core/chain/events.ts'
import type { Approval, RegistryDomain, ReleaseTerms } from '#core/firmware/release.ts'

/** A guard's hold can be lifted; a yank is for good. */
export type ReleaseStatus = 'live' | 'held' | 'yanked'

/** The head of one model at one block. Sequences are 0 where there is none. */
export interface HeadFacts extends RegistryDomain {
  readonly model: Hex
  readonly blockNumber: number
  /** Seconds since 1970. */
  readonly blockTimeS: number
  /** Highest sequence published. */
  readonly latest: number
  /** Highest sequence that is neither held nor yanked. */
  readonly active: number
  /** Lowest sequence that devices should still run. */
  readonly minimum: number
  /** Security counter that no further release goes below. */
  readonly securityFloor: number
}

/** One release as published, with the signatures it was published with. */
export interface PublishedRelease {
  readonly terms: ReleaseTerms
  readonly manifest: Uint8Array
  readonly approvals: readonly Approval[]
  readonly status: ReleaseStatus
}
