/** What a node keeps of the network's blobs: its part, where it places them; else all. */
import { createPlacing, type PlacingComponents, type PlacingInit } from '#node/assembly/placing.ts'
import { placingTrust } from '#node/assembly/placing-trust.ts'
import type { HostInit } from '#node/network/host.ts'
import type { FollowedMembers } from '#node/network/members.ts'
import { createLeases } from '#node/placement/leases.ts'
import type { Placement } from '#node/placement/placement.ts'
import { createProver } from '#node/placement/proofs.ts'

/** What it stands on. */
export interface PartComponents extends Omit<PlacingComponents, 'listed'> {
  readonly members: Pick<FollowedMembers, 'listed'>
}

/** What it is told. */
export interface PartInit {
  readonly host: Pick<HostInit, 'admission' | 'peers'>
  /** Places blobs on some nodes of many; a node that is told nothing keeps every blob. */
  readonly placement?: PlacingInit
}

/** Placement, or only the proofs of a node that keeps everything. */
export interface Part {
  readonly placement: Placement | undefined
  start(): Promise<void>
  stop(): Promise<void>
}

/** Puts it together; nothing is told or asked before `start()`. */
export function createPart(components: PartComponents, networkId: Uint8Array, init: PartInit): Part {
  const { members, ...standing } = components
  if (init.placement != null) {
    const { listed, ...trust } = placingTrust(init.host, members)
    return createPlacing({ ...standing, listed }, networkId, { ...trust, ...init.placement })
  }
  const { bans, log, rate, p, blockstore } = standing
  const { libp2p } = standing.host
  // Promises nothing: a node that keeps everything drops nothing.
  const leases = createLeases(() => performance.now(), 0)
  const prover = createProver({ libp2p, bans, log, rate, p, blockstore, leases, isMember: () => false })
  return { placement: undefined, ...prover }
}
