/** Placement with all that it stands on: who is there, proofs, promises, dropping. */
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import type { Hex } from '#core/chain/events.ts'
import { MAX_LEASE_S } from '#core/placement/proof.ts'
import type { AcceptIndex } from '#node/assembly/accept-index.ts'
import type { AnswerComponents } from '#node/network/request.ts'
import type { Host } from '#node/network/host.ts'
import type { ListedPeer } from '#node/network/members.ts'
import { createDropper } from '#node/placement/drop.ts'
import { openHeld } from '#node/placement/held.ts'
import { createLeases } from '#node/placement/leases.ts'
import { createMembers, type Members } from '#node/placement/members.ts'
import { createPlacement, type Placement } from '#node/placement/placement.ts'
import { createPledges } from '#node/placement/pledges.ts'
import { createProver } from '#node/placement/proofs.ts'
import { createReach } from '#node/placement/reach.ts'
import type { DiskBlockstore } from '#node/store/blocks.ts'
import type { Database } from '#node/store/database.ts'

/** What placing stands on. */
export interface PlacingComponents extends Omit<AnswerComponents, 'libp2p'> {
  readonly p: Primitives
  readonly clock: Clock
  readonly db: Database
  readonly host: Pick<Host, 'helia' | 'libp2p'>
  readonly blockstore: DiskBlockstore
  readonly index: AcceptIndex
  readonly peerSeed: Uint8Array
  /** The consortium's registry, where the network has one. */
  readonly listed?: ((peerKey: Uint8Array) => ListedPeer | undefined) | undefined
}

/** How blobs are placed. A node that is told nothing keeps every blob. */
export interface PlacingInit {
  /** Replicas of each blob; the same at every node of a network. */
  readonly replicas: number
  /** Bytes of blobs that this node holds for others. */
  readonly pledgedBytes: number
  /** Bytes of one patient's blobs here; a tenth of the pledge unless told. */
  readonly patientBytes?: number
  /** Who runs the node; replicas are spread over operators. */
  readonly operator?: string
  readonly region?: string
  /** Whether a patient named this node. */
  readonly named?: (patient: Hex) => boolean
  /** Peers by whose proofs and promises a copy may be dropped; where a registry lists peers, those, or else none unless told. */
  readonly vouched?: (id: string) => boolean
  /** Whether whoever connects may pledge, so that what pledges say is not trusted; true unless told. */
  readonly isOpen?: boolean
  readonly times?: Partial<PlacingTimes>
}

/** Times, the same at every node of a network. */
export interface PlacingTimes {
  /** Between two pledges of a node; 30 s unless told. */
  readonly pledgeEveryMs: number
  /** Without a pledge, after which a peer counts as dead; 10 min unless told, so that a restart moves nothing. */
  readonly deadAfterMs: number
  /** That each rank has before the next is called up; 2 min unless told. */
  readonly takeOverMs: number
  /** Between two looks at what belongs here; 1 h unless told. */
  readonly scanEveryMs: number
  /** Between two rounds of asking after what may be dropped or lacks replicas; 1 h unless told. */
  readonly auditEveryMs: number
  /** Rounds in which every other blob is asked after once; 24 unless told. */
  readonly auditRounds: number
  /** For which peers promise to keep what is dropped here; 3,600 s unless told. */
  readonly leaseS: number
  /** To hear who is there, at the start; 10 s unless told. */
  readonly settleMs: number
}

const DEFAULT_TIMES: PlacingTimes = {
  pledgeEveryMs: 30_000,
  deadAfterMs: 600_000,
  takeOverMs: 120_000,
  scanEveryMs: 3_600_000,
  auditEveryMs: 3_600_000,
  auditRounds: 24,
  leaseS: MAX_LEASE_S,
  settleMs: 10_000
}

/** Placement, and what it stands on. */
export interface Placing {
  readonly members: Members
  readonly placement: Placement
  start(): Promise<void>
  stop(): Promise<void>
}

/** Puts it together; nothing is told or asked before `start()`. */
export function createPlacing(components: PlacingComponents, networkId: Uint8Array, init: PlacingInit): Placing {
  const { p, clock, db, host, blockstore, index, peerSeed, listed } = components
  const { libp2p, helia } = host
  const times = { ...DEFAULT_TIMES, ...init.times }
  const { replicas, pledgedBytes, patientBytes = pledgedBytes / 10, operator = '', region = '' } = init
  const elapsedMs = (): number => performance.now()
  const answering = { libp2p, bans: components.bans, log: components.log, rate: components.rate }
  const hearing = { p, clock, elapsedMs, ...(listed == null ? {} : { listed }) }
  const members = createMembers(hearing, { networkId, deadAfterMs: times.deadAfterMs })
  const pledges = createPledges(
    { ...answering, p, clock, members, db, peerSeed },
    { networkId, pledgedBytes, operator, region, everyMs: times.pledgeEveryMs }
  )
  const leases = createLeases(elapsedMs, times.leaseS * 1_000)
  const isMember = (peer: string): boolean => members.get(peer) != null
  const prover = createProver({ ...answering, p, blockstore, leases, isMember })
  const held = openHeld({ db, blockstore })
  const dropper = createDropper({ db, helia, blockstore, index, leases, held, log: components.log })
  const reach = createReach({ libp2p, members, elapsedMs, log: components.log }, { isOpen: init.isOpen ?? true })
  const isListed = (id: string): boolean => {
    const key = members.get(id)?.pledge.peerKey
    return key != null && listed?.(key) != null
  }
  const placement = createPlacement(
    { ...answering, p, blockstore, index, members, reach, held, dropper, elapsedMs },
    {
      rules: { replicas, takeOverMs: times.takeOverMs },
      quotas: { totalBytes: pledgedBytes, patientBytes },
      named: init.named,
      isVouched: init.vouched ?? isListed,
      scanEveryMs: times.scanEveryMs,
      auditEveryMs: times.auditEveryMs,
      auditRounds: times.auditRounds,
      leaseS: times.leaseS,
      settleMs: times.settleMs
    }
  )
  const parts = [prover, pledges, placement]
  return {
    members,
    placement,
    async start() {
      for (const part of parts) await part.start()
    },
    async stop() {
      for (const part of [...parts].reverse()) await part.stop()
    }
  }
}
