/** What a device is told about its model by the chain: believed only as far as `verify.ts` can check it. */
import type { Hex } from '#core/chain/events.ts'
import type { Approval, RegistryDomain, ReleaseTerms } from '#core/firmware/release.ts'
import type { Rotation } from '#core/firmware/rotation.ts'

/** Where a release stands. A hold can be lifted or lapse; a yank is for good. */
export type ReleaseStatus = 'published' | 'staged' | 'active' | 'superseded' | 'held' | 'yanked'

/** The head of one model at one block. Sequences are 0 where there is none. */
export interface HeadFacts extends RegistryDomain {
  readonly model: Hex
  readonly blockNumber: number
  /** Seconds since 1970. */
  readonly blockTimeS: number
  /** Highest sequence published. */
  readonly latest: number
  /** Highest sequence that is for all devices and neither held nor yanked. */
  readonly active: number
  /** Sequence that is offered to a share of the devices. */
  readonly staged: number
  /** That share, in hundredths of a per cent. */
  readonly rolloutBps: number
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
  /** Rotations of the maker's keys that came in force before the keys that signed it, in order. */
  readonly rotations: readonly Rotation[]
}
