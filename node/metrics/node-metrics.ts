/** What a node measures of itself beside its process and its HTTP API. */
import { statfs } from 'node:fs/promises'
import type { FollowerStatus } from '#node/chain/follower-status.ts'
import type { RelayerStatus } from '#node/chain/relayer.ts'
import { followerFamilies, relayerFamilies } from '#node/metrics/chain-metrics.ts'
import { counted, createCounter, gauge, gauges, type Family } from '#node/metrics/families.ts'
import type { PlacementStatus } from '#node/placement/placement.ts'
import type { DiskStatus } from '#node/store/disk.ts'
import type { BackupStanding } from '#node/store/upkeep.ts'

/** Where a node stands, read when the metrics are. */
export interface NodeReadings {
  readonly peers: () => number
  readonly gossipPeers: () => number
  readonly messages: () => Promise<number>
  readonly blobsWanted: () => number
  readonly eventReaders: () => number
  readonly chain: () => FollowerStatus
  /** Time of the newest block that is followed, seconds since 1970. */
  readonly blockTimeS: () => number
  readonly isReady: () => boolean
  readonly relayer: () => RelayerStatus | undefined
  /** Undefined of a node that keeps every blob, and of one that is not ready. */
  readonly placement: () => PlacementStatus | undefined
  readonly disk: () => DiskStatus
  readonly damagedBlocks: () => number
  /** Undefined of a node that is not ready. */
  readonly backups: () => BackupStanding | undefined
  readonly dataDir: string
}

/** What a node counts while it runs. */
export interface NodeCounters {
  readonly accepted: (kind: string) => void
  readonly banned: () => void
  readonly connected: (change: 'connect' | 'disconnect') => void
}

/** A node's metrics. */
export interface NodeMetrics {
  readonly count: NodeCounters
  read(): Promise<readonly Family[]>
}

const DISK_STATES = ['ok', 'low', 'full', 'failed']

/** Makes them. */
export function createNodeMetrics(readings: NodeReadings): NodeMetrics {
  const accepted = createCounter({ name: 'salus_messages_accepted', help: 'Messages taken in, by kind.' }, ['kind'])
  const bans = createCounter({ name: 'salus_peers_banned', help: 'Peers cut off for bad conduct.' })
  const connections = createCounter({ name: 'salus_peer_changes', help: 'Connections made and lost.' }, ['change'])
  // There from the start, so that rates are not of nothing.
  for (const change of ['connect', 'disconnect']) connections.add({ change }, 0)
  return {
    count: {
      accepted: kind => accepted.add({ kind }),
      banned: () => bans.add(),
      connected: change => connections.add({ change })
    },
    async read() {
      const messages = await readings.messages()
      return [
        gauge({ name: 'salus_ready', help: '1 while the node serves, 0 while it waits.' }, readings.isReady() ? 1 : 0),
        gauge({ name: 'salus_peers', help: 'Connected peers.' }, readings.peers()),
        gauge({ name: 'salus_gossip_peers', help: 'Peers that gossip with this node.' }, readings.gossipPeers()),
        connections.read(),
        bans.read(),
        accepted.read(),
        counted({ name: 'salus_log_messages', help: 'Position of the newest message in the log.' }, messages),
        gauge({ name: 'salus_blobs_wanted', help: 'Blobs that are named but not here.' }, readings.blobsWanted()),
        gauge({ name: 'salus_event_readers', help: 'Readers of server-sent events.' }, readings.eventReaders()),
        ...followerFamilies(readings.chain(), readings.blockTimeS()),
        ...relayerFamilies(readings.relayer()),
        ...placementFamilies(readings.placement()),
        ...backupFamilies(readings.backups()),
        ...(await diskFamilies(readings))
      ]
    }
  }
}

function placementFamilies(status: PlacementStatus | undefined): readonly Family[] {
  if (status == null) return []
  const { members, heldBlobs, heldBytes, missing, refused, dropped } = status
  return [
    gauge({ name: 'salus_placement_members', help: 'Peers that pledged room.' }, members),
    gauge({ name: 'salus_placement_held_blobs', help: 'Blobs that are here.' }, heldBlobs),
    gauge({ name: 'salus_placement_held_bytes', unit: 'bytes', help: 'Bytes of them.' }, heldBytes),
    gauge({ name: 'salus_placement_missing', help: 'Blobs here with too few replicas elsewhere.' }, missing),
    gauge({ name: 'salus_placement_refused', help: 'Blobs that belong here and have no room.' }, refused),
    counted({ name: 'salus_placement_dropped', help: 'Blobs that were dropped.' }, dropped)
  ]
}

function backupFamilies(standing: BackupStanding | undefined): readonly Family[] {
  if (standing == null) return []
  const { lastMs, failure } = standing
  const failed = gauge({ name: 'salus_backup_failed', help: '1 if the last backup failed.' }, failure == null ? 0 : 1)
  if (lastMs == null) return [failed]
  const about = { unit: 'seconds', name: 'salus_backup_time_seconds', help: 'When the last good backup was made.' }
  return [failed, gauge(about, lastMs / 1_000)]
}

async function diskFamilies({ disk, damagedBlocks, dataDir }: NodeReadings): Promise<readonly Family[]> {
  const { state } = disk()
  // A folder that is gone is for the store to tell.
  const found = await statfs(dataDir).catch(() => undefined)
  const bytes = { unit: 'bytes' } as const
  return [
    gauges(
      { name: 'salus_disk_state', help: '1 for how the store finds its disk.' },
      DISK_STATES.map(each => [{ state: each }, each === state ? 1 : 0] as const)
    ),
    gauge(
      { name: 'salus_blocks_damaged', help: 'Blocks that the disk has changed and no peer has brought again.' },
      damagedBlocks()
    ),
    ...(found == null
      ? []
      : [
          gauge(
            { ...bytes, name: 'salus_disk_free_bytes', help: 'Room on the disk of the data.' },
            found.bavail * found.bsize
          ),
          gauge(
            { ...bytes, name: 'salus_disk_size_bytes', help: 'Size of the disk of the data.' },
            found.blocks * found.bsize
          )
        ])
  ]
}
