/** What an operator should know of at once, judged by how things stand. */

import type { DiskStatus } from '#node/store/disk.ts'
import type { BackupStanding } from '#node/store/upkeep.ts'

/** How things stand. */
export interface Standing {
  readonly chainState: string
  readonly peers: number
  /** Whether peers are configured at all. */
  readonly expectsPeers: boolean
  readonly disk: Pick<DiskStatus, 'state' | 'failure'>
  /** Blocks that the disk has changed and no peer has brought again yet. */
  readonly damagedBlocks: number
  readonly backup: 'none' | 'good' | 'old' | 'failed'
  readonly diskFreeBytes: number | undefined
  /** Endpoints of the chain that were caught at a lie. */
  readonly distrusted: number
  readonly relayer: 'none' | 'unknown' | 'good' | 'low' | 'empty'
}

/** Stable names of alerts; docs/guides/operate-a-node.md says what to do about each. */
export type AlertCode =
  | 'CHAIN_AWAY'
  | 'PEERS_NONE'
  | 'DISK_LOW'
  | 'DISK_FULL'
  | 'STORE_FAILED'
  | 'BLOCKS_DAMAGED'
  | 'BACKUP_FAILED'
  | 'BACKUP_OLD'
  | 'ENDPOINT_DISTRUSTED'
  | 'RELAYER_LOW'
  | 'RELAYER_EMPTY'

/** Room on the disk below which it is low, bytes. */
export const LOW_DISK_BYTES: number = 2 ** 31

/** Everything that is wrong now. */
export function alertsOf({
  chainState,
  peers,
  expectsPeers,
  disk,
  damagedBlocks,
  backup,
  diskFreeBytes,
  distrusted,
  relayer
}: Standing): readonly AlertCode[] {
  const alerts: AlertCode[] = []
  if (chainState === 'waiting') alerts.push('CHAIN_AWAY')
  if (expectsPeers && peers === 0) alerts.push('PEERS_NONE')
  if (disk.state === 'failed' && disk.failure === 'error') alerts.push('STORE_FAILED')
  else if (disk.state === 'full' || disk.state === 'failed') alerts.push('DISK_FULL')
  else if (diskFreeBytes != null && diskFreeBytes < LOW_DISK_BYTES) alerts.push('DISK_LOW')
  if (damagedBlocks > 0) alerts.push('BLOCKS_DAMAGED')
  if (backup === 'failed') alerts.push('BACKUP_FAILED')
  if (backup === 'old') alerts.push('BACKUP_OLD')
  if (distrusted > 0) alerts.push('ENDPOINT_DISTRUSTED')
  if (relayer === 'low') alerts.push('RELAYER_LOW')
  if (relayer === 'empty') alerts.push('RELAYER_EMPTY')
  return alerts
}

/**
 * How backups stand. Where there never was one, the time counts from the start of the node.
 *
 * @param warnMs - age from which the last one is old; no age is unless told
 */
export function backupStateOf(
  standing: BackupStanding | undefined,
  warnMs: number | undefined,
  { startedMs, nowMs }: { readonly startedMs: number; readonly nowMs: number }
): Standing['backup'] {
  if (standing == null) return 'none'
  if (standing.failure != null) return 'failed'
  if (warnMs != null && nowMs - (standing.lastMs ?? startedMs) > warnMs) return 'old'
  return standing.lastMs == null ? 'none' : 'good'
}

/** Which alerts came and which went between two judgements. */
export function alertChanges(
  before: readonly AlertCode[],
  now: readonly AlertCode[]
): readonly { readonly code: AlertCode; readonly active: boolean }[] {
  return [
    ...now.filter(code => !before.includes(code)).map(code => ({ code, active: true })),
    ...before.filter(code => !now.includes(code)).map(code => ({ code, active: false }))
  ]
}
