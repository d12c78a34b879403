/**
 * What ends for ever on the chain: a revoked grant, a retired gateway, a withdrawn image. Once a block said so it stays so for this node, also
 * where a re-organisation, or an endpoint that lies about one, takes the block away (docs/decisions/0038).
 */
import type { GatewayRecord, GrantRecord } from '#core/chain/records.ts'

/** Whether a row under this key can end for ever. */
export function canEnd(key: string): boolean {
  return key.startsWith('grant/') || key.startsWith('gateway/') || key.startsWith('withdrawn/')
}

/** Whether a row says that its thing has ended. */
export function hasEnded(key: string, row: string | undefined): row is string {
  if (row == null || !canEnd(key)) return false
  if (key.startsWith('grant/')) return (JSON.parse(row) as GrantRecord).revokedAtS != null
  return key.startsWith('withdrawn/') || (JSON.parse(row) as GatewayRecord).isRetired
}

/** The present row of something with the end that an earlier row of it told. */
export function withEnd(key: string, row: string | undefined, ended: string): string | undefined {
  if (key.startsWith('withdrawn/')) return row ?? ended
  if (row == null || hasEnded(key, row)) return row
  if (key.startsWith('gateway/')) return JSON.stringify({ ...(JSON.parse(row) as GatewayRecord), isRetired: true })
  const { revokedAtS } = JSON.parse(ended) as GrantRecord
  return JSON.stringify({ ...(JSON.parse(row) as GrantRecord), revokedAtS })
}
