import type { BatchRecord } from '#core/batch/record.ts'
import type { SignedBatch } from '#gateway/batcher.ts'

/** What a gateway reports. */
export type GatewayEvent =
  | ({ readonly event: 'batch' } & SignedBatch)
  | { readonly event: 'noticed'; readonly records: readonly BatchRecord[] }
  | { readonly event: 'acknowledged'; readonly sequence: number }
  | { readonly event: 'anchored'; readonly sequence: number; readonly treeSize: number; readonly blockNumber: number }
  | {
      readonly event: 'rooted'
      readonly sequence: number
      readonly epoch: number
      readonly treeSize: number
      readonly blockNumber: number
    }
  | { readonly event: 'cosigned'; readonly sequence: number; readonly treeSize: number; readonly witnesses: number }
  | { readonly event: 'end' }
