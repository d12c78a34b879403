import type { SignedGatewayHead } from '#core/batch/gateway-head.ts'
import type { SuperRootPath } from '#core/batch/super-root.ts'

/** Where a gateway's head came to lie. */
export interface RootedHead {
  readonly path: SuperRootPath
  /** Address of the aggregator, 20 bytes. */
  readonly aggregator: Uint8Array
  readonly epoch: number
  readonly root: Uint8Array
  /** Heads under the root. */
  readonly count: number
  readonly blockNumber: number
}

/** An aggregator as a gateway sees it. */
export interface AggregatorPort {
  /** Hands in a head; the same again changes nothing. */
  submit(signed: SignedGatewayHead, evidence: Uint8Array): Promise<void>
  /** Where a head lies; null while its epoch is not anchored. */
  find(gateway: Uint8Array, sequence: number): Promise<RootedHead | null>
}
